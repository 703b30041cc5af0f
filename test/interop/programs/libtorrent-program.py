"""A libtorrent session with one torrent: seeds or leeches until it is ended. Its job is JSON, as in ../program.ts.

usage: libtorrent-program.py JOB
"""
import json
import sys
import time

import libtorrent as lt

POLICIES = {"as it comes": lt.enc_policy.enabled, "refuses encryption": lt.enc_policy.disabled, "requires encryption": lt.enc_policy.forced}
NO_LONGER_CHECKING = (lt.torrent_status.states.downloading, lt.torrent_status.states.seeding)

job = json.loads(sys.argv[1])
dht = job.get("dht")
session = lt.session({
    "listen_interfaces": "{host}:{port}".format(**job["at"]),
    "enable_dht": dht is not None,
    "dht_bootstrap_nodes": "" if dht is None else "{host}:{port}".format(**dht[0]),
    # The nodes of a private DHT stand close to each other.
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "out_enc_policy": POLICIES[job["encryption"]],
    "in_enc_policy": POLICIES[job["encryption"]],
})
params = lt.add_torrent_params()
params.ti = lt.torrent_info(job["torrentFile"])
params.save_path = job["files"]
params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
handle = session.add_torrent(params)
while session.listen_port() == 0 or handle.status().state not in NO_LONGER_CHECKING:
    time.sleep(0.01)
if "peer" in job:
    handle.connect_peer((job["peer"]["host"], job["peer"]["port"]))
print("ready", flush=True)
while True:
    time.sleep(1)

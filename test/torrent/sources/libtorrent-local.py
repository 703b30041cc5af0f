"""libtorrent with nothing but local service discovery, on one address.

Usage: libtorrent-local.py INFOHASH ADDRESS FOLDER
Says "announced" when it has told the network, "heard" when it has heard another, and "complete" when it has everything.
"""
import sys
import time

import libtorrent as lt

info_hash, address, folder = sys.argv[1:]
session = lt.session({
    "listen_interfaces": address + ":0",
    "enable_lsd": True,
    "enable_dht": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "allow_multiple_connections_per_ip": True,
    "alert_mask": 0x7FFFFFFF,
})
wanted = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + info_hash)
wanted.save_path = folder
handle = session.add_torrent(wanted)
while True:
    for alert in session.pop_alerts():
        if "==> LSD" in alert.message():
            print("announced", flush=True)
        if alert.what() == "lsd_peer":
            print("heard", flush=True)
    if handle.status().is_seeding:
        print("complete", flush=True)
        break
    time.sleep(0.05)

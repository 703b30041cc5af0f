"""A libtorrent that speaks nothing but the encrypted handshake: prints its port, and dials when it is given one.
Then prints a line for each connection that it gives up, with its reason.

usage: libtorrent-peer.py INFO_HASH LEVEL [PORT]      LEVEL: plaintext, rc4 or both; ends with its standard input
"""
import sys
import threading
import time

import libtorrent as lt

LEVELS = {"plaintext": 1, "rc4": 2, "both": 3}
FORCED = 0


def main():
    info_hash, level = sys.argv[1:3]
    session = lt.session({
        "listen_interfaces": "127.0.0.1:0",
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_incoming_utp": False,
        "enable_outgoing_utp": False,
        "allow_multiple_connections_per_ip": True,
        "out_enc_policy": FORCED,
        "in_enc_policy": FORCED,
        "allowed_enc_level": LEVELS[level],
        "alert_mask": lt.alert.category_t.connect_notification | lt.alert.category_t.error_notification
        | lt.alert.category_t.peer_notification,
    })
    # By its magnet link: without the metadata it still shakes hands.
    params = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + info_hash)
    params.save_path = "."
    # Or it starts paused, and hangs up until the queue has its turn.
    params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
    handle = session.add_torrent(params)
    while session.listen_port() == 0:
        time.sleep(0.01)
    print(session.listen_port(), flush=True)
    if len(sys.argv) > 3:
        handle.connect_peer(("127.0.0.1", int(sys.argv[3])))
    threading.Thread(target=tell, args=(session,), daemon=True).start()
    sys.stdin.read()


def tell(session):
    while True:
        session.wait_for_alert(1000)
        for alert in session.pop_alerts():
            if isinstance(alert, (lt.peer_disconnected_alert, lt.peer_error_alert)):
                print(alert.error.message(), flush=True)


main()

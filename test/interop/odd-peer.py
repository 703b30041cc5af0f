"""A libtorrent that has some torrents and fetches others: each TORRENT_FILE with the folder of its files behind it.

usage: odd-peer.py PORT (TORRENT_FILE FOLDER)...

Prints its port, then the info hash of each torrent once it is complete, and dials the PORT of a peer on loopback for those that are
not. Ends with its standard input.
"""

import sys
import threading

import libtorrent as lt


def main():
    session = lt.session(
        {
            "listen_interfaces": "127.0.0.1:0",
            "enable_dht": False,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "enable_incoming_utp": False,
            "enable_outgoing_utp": False,
            "allow_multiple_connections_per_ip": True,
            "min_reconnect_time": 1,
            "alert_mask": lt.alert.category_t.status_notification,
        }
    )
    words = sys.argv[2:]
    for torrent_file, folder in zip(words[::2], words[1::2]):
        params = lt.add_torrent_params()
        with open(torrent_file, "rb") as file:
            params.ti = lt.torrent_info(file.read())
        params.save_path = folder
        params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
        session.add_torrent(params)
    print(session.listen_port(), flush=True)
    threading.Thread(target=follow, args=(session, int(sys.argv[1])), daemon=True).start()
    sys.stdin.read()


def follow(session, port):
    while True:
        session.wait_for_alert(1000)
        for alert in session.pop_alerts():
            if not isinstance(alert, (lt.torrent_checked_alert, lt.torrent_finished_alert)):
                continue
            if alert.handle.status().is_seeding:
                print(str(alert.handle.info_hash()), flush=True)
            elif isinstance(alert, lt.torrent_checked_alert):
                alert.handle.connect_peer(("127.0.0.1", port))


main()

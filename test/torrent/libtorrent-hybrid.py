"""What libtorrent makes of a hybrid torrent: prints a line of JSON about it; with a port it downloads it from there, over version 1
or 2 as it likes, and prints `done` when it has everything.

usage: libtorrent-hybrid.py TORRENT_FILE [PORT SAVE_PATH]
"""
import json
import sys
import time

import libtorrent as lt


def main():
    info = lt.torrent_info(sys.argv[1])
    hashes = info.info_hashes()
    files = info.files()
    print(json.dumps({
        "v1": str(hashes.v1) if hashes.has_v1() else None,
        "v2": str(hashes.v2) if hashes.has_v2() else None,
        "files": [[files.file_path(i), files.file_size(i), bool(files.file_flags(i) & lt.file_flags_t.flag_pad_file)]
                  for i in range(files.num_files())],
    }), flush=True)
    if len(sys.argv) < 4:
        return
    session = lt.session({
        "listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
        "enable_natpmp": False, "enable_outgoing_utp": False, "allow_multiple_connections_per_ip": True,
    })
    params = lt.add_torrent_params()
    params.ti = info
    params.save_path = sys.argv[3]
    params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
    handle = session.add_torrent(params)
    for _ in range(3000):
        status = handle.status()
        if status.is_seeding:
            print("done", flush=True)
            return
        if status.num_peers == 0:
            handle.connect_peer(("127.0.0.1", int(sys.argv[2])))
        time.sleep(0.01)


main()

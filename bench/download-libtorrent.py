"""One download over loopback, libtorrent to libtorrent: prints the milliseconds from the dial to the last piece.

usage: download-libtorrent.py FILE DIRECTORY
"""
import multiprocessing
import os
import sys
import time

import libtorrent as lt

SETTINGS = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    # As our engine: TCP. Over uTP it was twenty times slower here, which would flatter us.
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "allow_multiple_connections_per_ip": True,
    "alert_mask": 0,
}


def make_torrent(path):
    storage = lt.file_storage()
    lt.add_files(storage, path)
    torrent = lt.create_torrent(storage, flags=lt.create_torrent.v1_only)
    lt.set_piece_hashes(torrent, os.path.dirname(path))
    return lt.bencode(torrent.generate())


def add(session, torrent_file, directory, seed):
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(lt.bdecode(torrent_file))
    params.save_path = directory
    if seed:
        params.flags |= lt.torrent_flags.seed_mode
    return session.add_torrent(params)


def seed(path, torrent_file, port, stop):
    session = lt.session(SETTINGS)
    add(session, torrent_file, os.path.dirname(path), True)
    while session.listen_port() == 0:
        time.sleep(0.01)
    port.put(session.listen_port())
    stop.wait()


def main():
    path, directory = sys.argv[1:3]
    torrent_file = make_torrent(path)
    port, stop = multiprocessing.Queue(), multiprocessing.Event()
    seeder = multiprocessing.Process(target=seed, args=(path, torrent_file, port, stop))
    seeder.start()
    session = lt.session(SETTINGS)
    handle = add(session, torrent_file, directory, False)
    while handle.status().state != lt.torrent_status.states.downloading:
        time.sleep(0.005)
    at = port.get()
    started = time.monotonic()
    handle.connect_peer(("127.0.0.1", at))
    while not handle.status().is_seeding:
        time.sleep(0.002)
    print(int((time.monotonic() - started) * 1000))
    stop.set()
    seeder.join()


main()

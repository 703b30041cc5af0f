"""One download over loopback, libtorrent to libtorrent, or from libtorrent to a client that is told where.

usage: download-libtorrent.py pair FILE DIRECTORY SEEDERS stock|tuned
       download-libtorrent.py seed FILE TORRENT_FILE stock|tuned

`pair` prints JSON: ms from the dial to the last piece, ms to the first one, processor seconds of both sides, and the leecher's
largest memory above what it had at rest, in bytes. `seed` prints its port, and serves until its standard input ends.
"""
import json
import multiprocessing
import os
import resource
import sys
import time

import libtorrent as lt

STOCK = {
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
    "min_reconnect_time": 1,
}
# The best that was found for it on such a machine.
TUNED = {
    **STOCK,
    "request_queue_time": 3,
    "max_out_request_queue": 3000,
    "max_allowed_in_request_queue": 3000,
    "send_buffer_watermark": 4 * 1024 * 1024,
    "send_buffer_low_watermark": 1024 * 1024,
    "hashing_threads": 2,
    "unchoke_slots_limit": -1,
    "out_enc_policy": lt.enc_policy.disabled,
    "in_enc_policy": lt.enc_policy.disabled,
}
SETTINGS = {"stock": STOCK, "tuned": TUNED}


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
    # Or it starts paused, and hangs up on who dials it until the queue has its turn, a second later.
    params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
    if seed:
        params.flags |= lt.torrent_flags.seed_mode
    return session.add_torrent(params)


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def memory_bytes():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
    return 0


def seeding(path, torrent_file, settings):
    session = lt.session(SETTINGS[settings])
    handle = add(session, torrent_file, os.path.dirname(path), True)
    # One that is dialled before it seeds hangs up, and is dialled again a minute later.
    while session.listen_port() == 0 or not handle.status().is_seeding:
        time.sleep(0.01)
    return session


def seed(path, torrent_file, settings, port, stop, spent):
    session = seeding(path, torrent_file, settings)
    before = cpu_seconds()
    port.put(session.listen_port())
    stop.wait()
    spent.put(cpu_seconds() - before)


def pair(path, directory, count, settings):
    torrent_file = make_torrent(path)
    port, stop, spent = multiprocessing.Queue(), multiprocessing.Event(), multiprocessing.Queue()
    seeders = [
        multiprocessing.Process(target=seed, args=(path, torrent_file, settings, port, stop, spent)) for _ in range(count)
    ]
    for seeder in seeders:
        seeder.start()
    session = lt.session(SETTINGS[settings])
    handle = add(session, torrent_file, directory, False)
    while handle.status().state != lt.torrent_status.states.downloading:
        time.sleep(0.005)
    ports = [port.get() for _ in seeders]
    before, rest, most = cpu_seconds(), memory_bytes(), 0
    started = time.monotonic()
    first = None
    for at in ports:
        handle.connect_peer(("127.0.0.1", at))
    while True:
        status = handle.status()
        if first is None and status.num_pieces > 0:
            first = time.monotonic() - started
        most = max(most, memory_bytes())
        if status.is_seeding:
            break
        time.sleep(0.002)
    took = time.monotonic() - started
    leecher = cpu_seconds() - before
    stop.set()
    total = sum(spent.get() for _ in seeders)
    for seeder in seeders:
        seeder.join()
    first_ms = (first if first is not None else took) * 1000
    said = {"ms": took * 1000, "firstMs": first_ms, "leecherCpu": leecher, "seederCpu": total, "memoryBytes": most - rest}
    print(json.dumps(said))


if sys.argv[1] == "pair":
    pair(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
else:
    with open(sys.argv[3], "rb") as file:
        serving = seeding(sys.argv[2], file.read(), sys.argv[4])
    print(serving.listen_port(), flush=True)
    sys.stdin.read()

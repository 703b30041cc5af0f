"""Loads torrents with libtorrent: a folder as the only word, one line of JSON for each file in it, in the order of their names."""

import json
import os
import sys

import libtorrent as lt

PAD = 1
SYMLINK = 8


def describe(path):
    with open(path, "rb") as file:
        data = file.read()
    try:
        info = lt.torrent_info(data)
    except (RuntimeError, TypeError) as error:
        return {"refused": str(error)}
    files = info.files()
    if files.num_files() == 0:
        return {"refused": "no info dictionary"}
    kept = [at for at in range(files.num_files()) if not int(files.file_flags(at)) & (PAD | SYMLINK)]
    hashes = info.info_hashes()
    return {
        "infoHash": hashes.v1.to_bytes().hex() if hashes.has_v1() else "",
        "pieceLengthBytes": info.piece_length(),
        "pieceCount": info.num_pieces(),
        "sizeBytes": info.total_size(),
        "isPrivate": info.priv(),
        "files": [[files.file_path(at), files.file_size(at)] for at in kept],
    }


print(json.dumps(lt.__version__))
for name in sorted(os.listdir(sys.argv[1])):
    print(json.dumps(describe(os.path.join(sys.argv[1], name))))

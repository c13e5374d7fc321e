"""Recorded bytes of one connection and direction -> protocol frames. Pure: no sockets, and bodies stay bytes.

Every protocol has one module with `split(data)`, which gives the whole frames and the rest that is none yet:
however the bytes are cut into chunks, the frames are the same.
"""

from integration.frames.splitting import Incremental, Split

__all__ = ["Incremental", "Split"]

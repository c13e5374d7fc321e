"""What all the applications publish on."""

from pyee.base import EventEmitter

bus = EventEmitter()

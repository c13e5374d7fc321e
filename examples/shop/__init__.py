"""A small web shop, split into services that talk over HTTP, buses, brokers and WebSockets."""

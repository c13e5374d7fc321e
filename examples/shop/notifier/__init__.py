"""The notifier: passes order statuses on to the WebSocket clients that want them."""

"""The storefront: accounts and orders over HTTP, the order process on an in-process event bus."""

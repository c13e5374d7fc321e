"""Renderers: findings to documents. They render and never query."""

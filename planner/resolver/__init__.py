"""Resolver."""

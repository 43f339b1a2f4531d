"""The handlers, one module for each part of the page; each parses, calls a service and renders."""

"""A library over HTTP, and the page that shows it."""

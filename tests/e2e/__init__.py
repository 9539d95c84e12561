"""End-to-end tests: a real Parse Server on a real PostgreSQL calls a real tornado_cc."""

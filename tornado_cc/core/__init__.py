"""What passes between the rooms. Standard library and orjson only."""

"""What the next hook returns or sets: a test puts it here, the plugin takes it from here."""

value: object = None

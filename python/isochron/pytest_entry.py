"""The plugin of an installed package: pytest finds it by the entry point `isochron`, and `-p no:isochron` leaves it out.

It only names isochron.pytest_plugin, which a project may name, too (`-p`, `pytest_plugins`): pytest takes it once.
"""

pytest_plugins = ["isochron.pytest_plugin"]

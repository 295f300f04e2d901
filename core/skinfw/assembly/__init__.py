"""From a spec to objects: how a component, and a whole run, is built."""

"""From a spec to objects: how one component is built, and all of a run."""

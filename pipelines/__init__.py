"""When it is done: the KFP definitions, the profile, and the places where a run takes place."""

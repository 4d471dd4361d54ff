"""Programs that serve the model: the gateway, the model server and the edge runner."""

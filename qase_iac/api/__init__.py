"""The border to Qase's REST API: everything odd about it is undone here. Only this folder imports httpx."""

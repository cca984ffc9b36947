"""Functions come from a blueprint, and the app is a plain FunctionApp."""

import azure.functions as func
from parts.chain import bp  # type: ignore[import-not-found]  # the app's folder is put on the path

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(bp)


@app.route(route="hello")
def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"Hello, {req.params.get('name', 'stranger')}")

"""Runs a Python function app with Durable Functions where the Azure Functions host is not installed.

It loads the real function_app.py through its decorators and runs HTTP, timer and Durable functions with the
real SDKs, on SQLite. It is for development, demos and tests; production is the Azure Functions host with the
Durable extension. From bottom to top:

    history, versions, promises, durable_task, external_events, extension, executor
                        what the Durable extension does with the SDK's answers: it numbers tasks for itself
    replay, drift, traps, episode
                        one episode: the SDK's replay, compared with the extension's; what Azure would leave
                        hanging fails
    store, instances, messages, orchestrations, activities, entities
                        state in SQLite, one transaction per episode; activities at least once, all else
                        exactly once
    imports, host_files, durable_settings, worker_checks, app, invocation, loop
                        the app is loaded and called as the Python worker does
    ncrontab, function_timers, routes, http_triggers, management, client_api, entity_api, links, status,
    answers, keys, web_server
                        timers, HTTP functions, the Durable HTTP API
    dispatcher, host, __main__
                        the thread that does it all, the object for tests, the command line

Known differences from Azure: rewind is refused (501); triggers other than HTTP, timer and Durable do not run;
output bindings and retry policies of functions are not carried out; entities have no locks and are not listed
among instances; schedules are UTC; what would hang silently fails at once. What the extension does was read
in its source and never compared with a running host.
"""

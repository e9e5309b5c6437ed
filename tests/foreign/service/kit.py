"""What both services share: health by name, trace ids, a log line for each call, an orderly end."""

import argparse
import json
import os
import signal
import time
from concurrent import futures

import grpc
from health.v1 import health_pb2  # of grpc.health.v1, which Debian has no Python package of

# What this process does wrong, by name; the twins of the scenarios switch it on.
FLAW = os.environ.get("FLAW", "")


class Refused(grpc.RpcError):
    """What a service answers instead of a response."""

    def __init__(self, code, details):
        super().__init__(details)
        self.code, self.details = lambda: code, lambda: details


class Call:
    """A call that is served: what it was given, and what it hands on to the calls it makes."""

    last_trace = None  # of whatever call began last

    def __init__(self, context):
        self.context = context
        self.began = time.monotonic()
        self.method = ""
        # W3C Trace Context: 00-<trace id>-<parent id>-<flags>
        parts = dict(context.invocation_metadata()).get("traceparent", "").split("-")
        self.trace_id = parts[1] if len(parts) == 4 else os.urandom(16).hex()
        self.onward_trace_id = self.trace_id
        if FLAW == "trace-crosstalk":
            self.onward_trace_id, Call.last_trace = Call.last_trace or self.trace_id, self.trace_id

    def onward(self, method, request):
        """Calls `method` with what remains of the deadline, in the same trace; gives it up when its own caller
        does. Raises grpc.RpcError."""
        if FLAW == "no-deadline":
            return method(request, metadata=self.span())
        timeout = 10.0 if FLAW == "no-propagation" else self.context.time_remaining()
        if timeout > 1e8:
            timeout = None  # grpcio tells a call without a deadline so, and takes no such number itself
        further = method.future(request, timeout=timeout, metadata=self.span())
        self.context.add_callback(further.cancel)
        try:
            return further.result()
        except grpc.FutureCancelledError:
            raise Refused(grpc.StatusCode.CANCELLED, "its caller gave it up") from None

    def span(self):
        if FLAW == "no-trace":
            return ()
        return (("traceparent", f"00-{self.onward_trace_id}-{os.urandom(8).hex()}-01"),)

    def log(self, code):
        if FLAW == "log-only-success" and code is not grpc.StatusCode.OK:
            return
        took = (time.monotonic() - self.began) * 1000
        line = {"rpc": self.method, "status": code.name, "took_ms": round(took, 3), "trace": self.trace_id}
        os.write(1, (json.dumps(line) + "\n").encode())  # one write, one line


def served(service):
    """Makes a handler of `serve(self, request, call)`. The status of what it raises, its own or that of a call
    it made, is its answer."""

    def decorate(serve):
        def handler(self, request, context):
            call, code = Call(context), grpc.StatusCode.UNKNOWN
            call.method = f"/{service}/{serve.__name__}"
            try:
                answer = serve(self, request, call)
                code = grpc.StatusCode.OK
                return answer
            except grpc.RpcError as error:
                code = error.code()
                context.abort(code, error.details())
            finally:
                call.log(code)

        return handler

    return decorate


class Health:
    """grpc.health.v1 Check for `alive` and `ready`: a service that drains is alive and not ready."""

    def __init__(self):
        self.ready = True

    def check(self, request, context):
        if request.service not in ("alive", "ready"):
            context.abort(grpc.StatusCode.NOT_FOUND, f"no name `{request.service}`")
        serving = self.ready or request.service == "alive"
        states = health_pb2.HealthCheckResponse
        return states(status=states.SERVING if serving else states.NOT_SERVING)

    def handler(self):
        check = grpc.unary_unary_rpc_method_handler(
            self.check,
            request_deserializer=health_pb2.HealthCheckRequest.FromString,
            response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})


def options(*names):
    """Command line options, each `--name=VALUE` and required."""
    parser = argparse.ArgumentParser()
    for name in names:
        parser.add_argument("--" + name, required=True)
    return parser.parse_args()


def keep_sigterm():
    """Keeps SIGTERM for `serve`; to be called before there is a second thread, so that it is blocked in all of them.
    With a handler that sets an Event it can get lost: a thread that is just starting another may take it, which does
    not wake the main thread, and only the main thread runs handlers."""
    if FLAW != "no-drain":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def serve(listen, add_services):
    """Serves until SIGTERM, which `keep_sigterm` has kept; then says so for a moment, finishes what it has accepted,
    and returns."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=[("grpc.so_reuseport", 0)])
    health = Health()
    server.add_generic_rpc_handlers((health.handler(),))
    add_services(server)
    if server.add_insecure_port(listen) == 0:
        raise SystemExit(f"cannot listen on {listen}")
    server.start()
    signal.pause() if FLAW == "no-drain" else signal.sigwait({signal.SIGTERM})
    health.ready = False
    time.sleep(0.2)  # whoever watches the health can go elsewhere first
    server.stop(grace=2).wait()

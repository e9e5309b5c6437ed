"""grpc.testing.TestService on a free port of loopback, until it is killed."""

from concurrent import futures

import grpc
from interop import test_service_pb2 as pb
from interop import test_service_pb2_grpc as pb_grpc

import seen


class Served:
    """One call: what it saw, which is told when it is over."""

    def __init__(self, context, method):
        metadata = context.invocation_metadata()
        label = {one.key: one.value for one in metadata}
        self.context = context
        self.line = {
            "side": "callee",
            "run": label.get(seen.RUN, ""),
            "call": label.get(seen.CALL, ""),
            "method": method,
            "authority": "",  # grpcio keeps it to itself
            "metadata": seen.fields((n, v) for n, v in metadata if n not in (seen.RUN, seen.CALL)),
            "requests": [],
        }
        self.details = label.get("x-interop-details-bin")
        initial = [(n, v) for n, v in metadata if n == "x-grpc-test-echo-initial"]
        self.trailing = [(n, v) for n, v in metadata if n == "x-grpc-test-echo-trailing-bin"]
        if initial:
            context.send_initial_metadata(initial)
        if self.trailing:
            context.set_trailing_metadata(self.trailing)
        if not context.add_callback(self.over):
            self.over()

    def over(self):
        # By now grpcio has what C-core says about the end of the call, and no public name for it.
        self.line["cancelled"] = self.context._state.client == "cancelled"
        seen.tell(**self.line)

    def received(self, request):
        self.line["requests"].append(seen.message(request))

    def status(self, wanted):
        """Ends the call with the status that the request asks for, if it does."""
        if not wanted.code:
            return
        if self.details:
            self.context.set_trailing_metadata(self.trailing + [("grpc-status-details-bin", self.details)])
        self.context.abort(next(c for c in grpc.StatusCode if c.value[0] == wanted.code), wanted.message)

    def responses(self, request):
        if any(one.compressed.value for one in request.response_parameters):
            self.context.set_compression(grpc.Compression.Gzip)
        for one in request.response_parameters:
            if not one.compressed.value:
                self.context.disable_next_message_compression()
            yield pb.StreamingOutputCallResponse(payload=pb.Payload(body=seen.payload(one.size)))


class TestService(pb_grpc.TestServiceServicer):
    def EmptyCall(self, request, context):
        Served(context, "EmptyCall").received(request)
        return pb.Empty()

    def UnaryCall(self, request, context):
        call = Served(context, "UnaryCall")
        call.received(request)
        call.status(request.response_status)
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        return pb.SimpleResponse(payload=pb.Payload(body=seen.payload(request.response_size)))

    def StreamingOutputCall(self, request, context):
        call = Served(context, "StreamingOutputCall")
        call.received(request)
        yield from call.responses(request)

    def StreamingInputCall(self, requests, context):
        call = Served(context, "StreamingInputCall")
        size = 0
        for request in requests:
            call.received(request)
            size += len(request.payload.body)
        return pb.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests, context):
        call = Served(context, "FullDuplexCall")
        for request in requests:
            call.received(request)
            call.status(request.response_status)
            yield from call.responses(request)


server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=16),
    options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)],
)
pb_grpc.add_TestServiceServicer_to_server(TestService(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
seen.tell(side="server", port=port)
server.wait_for_termination()

"""All interop cases against each server it is given as RUN=HOST:PORT, one after the other."""

import queue
import sys

import grpc
from interop import test_service_pb2 as pb
from interop import test_service_pb2_grpc as pb_grpc

import seen

CUSTOM = (("x-grpc-test-echo-initial", "test_initial_metadata_value"), ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"))
REPEATED = (
    ("x-grpc-test-echo-initial", "first"),
    ("x-grpc-test-echo-trailing-bin", b"\x00\xff"),
    ("x-order", "1"),
    ("x-grpc-test-echo-initial", "second, with a comma"),
    ("x-grpc-test-echo-trailing-bin", b""),
    ("x-order", "0"),
)
WHITESPACE_AND_UNICODE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
SENT, ANSWERED = (27182, 8, 1828, 45904), (31415, 9, 2653, 58979)


def body(size):
    return pb.Payload(body=seen.payload(size))


def truth(value):
    return pb.BoolValue(value=value)


def wants(size, compressed=None):
    return pb.ResponseParameters(size=size, compressed=None if compressed is None else truth(compressed))


def large(**more):
    return pb.SimpleRequest(response_size=314159, payload=body(271828), **more)


class Requests:
    """The requests of a call, given one by one; None is the end."""

    def __init__(self, *given):
        self.queue = queue.SimpleQueue()
        for one in given:
            self.queue.put(one)

    def __iter__(self):
        return iter(self.queue.get, None)


class Run:
    def __init__(self, run, address):
        self.run = run
        options = [
            ("grpc.default_authority", "interop.test"),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
        ]
        channel = grpc.insecure_channel(address, options=options)
        self.stub = pb_grpc.TestServiceStub(channel)
        self.nobody = pb_grpc.UnimplementedServiceStub(channel)

    def given(self, name, metadata=(), timeout=10, **more):
        label = ((seen.RUN, self.run), (seen.CALL, name))
        return {"metadata": label + tuple(metadata), "timeout": timeout, **more}

    def tell(self, name, call, responses):
        seen.tell(
            side="caller",
            run=self.run,
            call=name,
            code=call.code().value[0],
            message=call.details() or "",
            initial=seen.fields(call.initial_metadata()),
            trailing=seen.fields(call.trailing_metadata()),
            responses=[seen.message(one) for one in responses],
        )

    def one(self, name, method, request, **more):
        """A call with one response."""
        try:  # with_call, for in grpcio 1.51 the future of a stream of requests forgets `compression`
            response, call = method.with_call(request, **self.given(name, **more))
            self.tell(name, call, [response])
        except grpc.RpcError as failed:
            self.tell(name, failed, [])

    def many(self, name, method, request, **more):
        """A call with a stream of responses; all requests are known."""
        call = method(request, **self.given(name, **more))
        self.tell(name, call, self.rest(call))

    @staticmethod
    def rest(call):
        responses = []
        try:
            for one in call:
                responses.append(one)
        except grpc.RpcError:
            pass
        return responses

    def all(self):
        stub = self.stub
        self.one("empty_unary", stub.EmptyCall, pb.Empty())
        self.one("large_unary", stub.UnaryCall, large())
        sizes = [pb.StreamingInputCallRequest(payload=body(size)) for size in SENT]
        self.one("client_streaming", stub.StreamingInputCall, iter(sizes))
        parameters = [wants(size) for size in ANSWERED]
        self.many("server_streaming", stub.StreamingOutputCall, pb.StreamingOutputCallRequest(response_parameters=parameters))
        self.ping_pong()
        self.many("empty_stream", stub.FullDuplexCall, iter(()))
        self.compressed()
        self.metadata()
        self.statuses()
        self.cancelled()

    def ping_pong(self):
        requests, responses = Requests(), []
        call = self.stub.FullDuplexCall(iter(requests), **self.given("ping_pong"))
        for sent, answered in zip(SENT, ANSWERED):
            requests.queue.put(pb.StreamingOutputCallRequest(response_parameters=[wants(answered)], payload=body(sent)))
            responses.append(next(call))
        requests.queue.put(None)
        self.tell("ping_pong", call, responses + self.rest(call))

    def compressed(self):
        stub, gzip = self.stub, grpc.Compression.Gzip
        self.one("client_compressed_unary/probe", stub.UnaryCall, large(expect_compressed=truth(True)))
        self.one("client_compressed_unary/yes", stub.UnaryCall, large(expect_compressed=truth(True)), compression=gzip)
        self.one("client_compressed_unary/no", stub.UnaryCall, large(expect_compressed=truth(False)))
        self.one("server_compressed_unary/yes", stub.UnaryCall, large(response_compressed=truth(True)))
        self.one("server_compressed_unary/no", stub.UnaryCall, large(response_compressed=truth(False)))
        # grpcio compresses all messages of a request or none.
        sent = [pb.StreamingInputCallRequest(payload=body(size), expect_compressed=truth(True)) for size in (27182, 45904)]
        self.one("client_compressed_streaming/probe", stub.StreamingInputCall, iter(sent[:1]))
        self.one("client_compressed_streaming", stub.StreamingInputCall, iter(sent), compression=gzip)
        parameters = [wants(31415, True), wants(92653, False)]
        request = pb.StreamingOutputCallRequest(response_parameters=parameters)
        self.many("server_compressed_streaming", stub.StreamingOutputCall, request)

    def metadata(self):
        duplex = [pb.StreamingOutputCallRequest(response_parameters=[wants(314159)], payload=body(271828))]
        self.one("custom_metadata/unary", self.stub.UnaryCall, large(), metadata=CUSTOM)
        self.many("custom_metadata/full_duplex", self.stub.FullDuplexCall, iter(duplex), metadata=CUSTOM)
        self.one("repeated_metadata", self.stub.UnaryCall, pb.SimpleRequest(), metadata=REPEATED)

    def statuses(self):
        stub = self.stub
        plain = pb.EchoStatus(code=2, message="test status message")
        self.one("status_code_and_message/unary", stub.UnaryCall, pb.SimpleRequest(response_status=plain))
        duplex = [pb.StreamingOutputCallRequest(response_status=plain)]
        self.many("status_code_and_message/full_duplex", stub.FullDuplexCall, iter(duplex))
        special = pb.SimpleRequest(response_status=pb.EchoStatus(code=2, message=WHITESPACE_AND_UNICODE))
        self.one("special_status_message", stub.UnaryCall, special)
        details = (("x-interop-details-bin", bytes(range(256))),)
        self.one("status_details", stub.UnaryCall, pb.SimpleRequest(response_status=plain), metadata=details)
        self.one("unimplemented_method", stub.UnimplementedCall, pb.Empty())
        self.one("unimplemented_service", self.nobody.UnimplementedCall, pb.Empty())

    def cancelled(self):
        requests = Requests()
        call = self.stub.StreamingInputCall.future(iter(requests), **self.given("cancel_after_begin"))
        call.cancel()
        requests.queue.put(None)
        self.tell("cancel_after_begin", call, [])

        first = pb.StreamingOutputCallRequest(response_parameters=[wants(31415)], payload=body(27182))
        requests = Requests(first)
        call = self.stub.FullDuplexCall(iter(requests), **self.given("cancel_after_first_response"))
        responses = [next(call)]
        call.cancel()
        requests.queue.put(None)
        self.tell("cancel_after_first_response", call, responses + self.rest(call))

        for name, timeout in (("timeout_on_sleeping_server", 0.001), ("timeout_that_the_server_sees", 0.2)):
            requests = Requests(pb.StreamingOutputCallRequest(payload=body(27182)))
            call = self.stub.FullDuplexCall(iter(requests), **self.given(name, timeout=timeout))
            self.tell(name, call, self.rest(call))
            requests.queue.put(None)


for argument in sys.argv[1:]:
    run, _, address = argument.partition("=")
    Run(run, address).all()

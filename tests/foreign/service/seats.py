"""Gives out seats, and counts them for Prometheus on a port of its own."""

import http.server
import threading

import grpc
from tickets.v1 import tickets_pb2, tickets_pb2_grpc

import kit

kit.keep_sigterm()
given = kit.options("listen", "metrics")


class Seats(tickets_pb2_grpc.SeatServiceServicer):
    def __init__(self):
        self.lock = threading.Lock()  # calls are served on several threads
        self.given = 0
        self.taken = 0  # what is counted

    @kit.served("tickets.v1.SeatService")
    def Reserve(self, request, call):
        if not request.show:
            raise kit.Refused(grpc.StatusCode.INVALID_ARGUMENT, "for which show?")
        with self.lock:
            self.given = seat = self.given + 1
            if kit.FLAW != "uncounted":
                self.taken = seat
        return tickets_pb2.ReserveResponse(seat=seat)


seats = Seats()


class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"# TYPE seats_taken_total counter\nseats_taken_total {seats.taken}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # what the process prints is its call log


host, port = given.metrics.split(":")
metrics = http.server.ThreadingHTTPServer((host, int(port)), Metrics)
threading.Thread(target=metrics.serve_forever, daemon=True).start()
kit.serve(given.listen, lambda server: tickets_pb2_grpc.add_SeatServiceServicer_to_server(seats, server))

"""Sells tickets: every sale asks the seats service for a seat."""

import grpc
from tickets.v1 import tickets_pb2, tickets_pb2_grpc

import kit


class BoxOffice(tickets_pb2_grpc.BoxOfficeServiceServicer):
    def __init__(self, seats):
        self.seats = tickets_pb2_grpc.SeatServiceStub(seats)

    @kit.served("tickets.v1.BoxOfficeService")
    def Buy(self, request, call):
        wanted = tickets_pb2.ReserveRequest(order_id=request.order_id, show=request.show)
        reserved = call.onward(self.seats.Reserve, wanted)
        return tickets_pb2.BuyResponse(order_id=request.order_id, seat=reserved.seat)


kit.keep_sigterm()
given = kit.options("listen", "seats")
channel = grpc.insecure_channel(given.seats, options=[("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0)])
kit.serve(
    given.listen,
    lambda server: tickets_pb2_grpc.add_BoxOfficeServiceServicer_to_server(BoxOffice(channel), server),
)

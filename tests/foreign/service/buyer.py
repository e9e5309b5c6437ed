"""A client of its own: buys tickets, one after the other, and exits 1 when one could not be had."""

import itertools
import os
import sys
import time

import grpc
from tickets.v1 import tickets_pb2, tickets_pb2_grpc

import kit

given = kit.options("boxoffice", "show", "deadline", "tickets")  # deadline in s or ""; tickets 0: without end
office = tickets_pb2_grpc.BoxOfficeServiceStub(
    grpc.insecure_channel(given.boxoffice, options=[("grpc.enable_http_proxy", 0)])
)
deadline = float(given.deadline) if given.deadline else None
failed = 0
for number in itertools.count(1):
    trace = (("traceparent", f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"),)
    try:
        request = tickets_pb2.BuyRequest(order_id=f"order-{number}", show=given.show)
        office.Buy(request, timeout=deadline, metadata=trace)
    except grpc.RpcError as error:
        print(f"order-{number}: {error.code().name}: {error.details()}", flush=True)
        failed += 1
    if number == int(given.tickets):
        break
    time.sleep(0.02)
print(f"{number} asked for, {failed} not had", flush=True)
sys.exit(1 if failed else 0)

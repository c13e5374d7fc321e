"""The storefront's HTTP interface."""

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Lifespan

from shop.events import OrderLine
from shop.runtime import ledger
from shop.web.members import EmailTakenError, is_member, register_member
from shop.web.orders import find_order, place_order
from shop.web.prices import change_price, price_cents, price_tag


async def _body(request: Request, *required: str) -> dict[str, Any]:
    body = await request.json()
    missing = [name for name in required if name not in body]
    if missing:
        raise HTTPException(422, f"missing: {', '.join(missing)}")
    return dict(body)


def _order_lines(items: list[dict[str, Any]]) -> list[OrderLine]:
    try:
        return [
            {
                "sku": item["sku"],
                "quantity": item["quantity"],
                "unit_price_cents": price_cents(item["sku"]),
            }
            for item in items
        ]
    except KeyError as unknown:
        raise HTTPException(422, f"missing or unknown: {unknown}") from None


async def register(request: Request) -> JSONResponse:
    """POST /api/register: open an account."""
    ledger.received("http", "POST /api/register")
    body = await _body(request, "email", "name", "password")
    try:
        member = register_member(
            body["email"],
            body["name"],
            body["password"],
            newsletter=body.get("newsletter", False),
            referrer=body.get("referrer"),
        )
    except EmailTakenError:
        raise HTTPException(409, "this address has an account") from None
    return JSONResponse({"user_id": member.user_id}, 201)


async def order(request: Request) -> JSONResponse:
    """POST /api/orders: place an order; its progress is told by the notifier."""
    ledger.received("http", "POST /api/orders")
    body = await _body(request, "user_id", "items", "card_token")
    if not is_member(body["user_id"]):
        raise HTTPException(403, "no such account")
    items = _order_lines(body["items"])
    sales_channel = body.get("sales_channel", "web")
    placed = place_order(body["user_id"], items, body["card_token"], sales_channel, body.get("coupon"))
    return JSONResponse({"order_id": placed.order_id, "status": placed.status}, 202)


async def order_status(request: Request) -> JSONResponse:
    """GET /api/orders/{order_id}: how far an order is."""
    ledger.received("http", "GET /api/orders/{order_id}")
    found = find_order(request.path_params["order_id"])
    if found is None:
        raise HTTPException(404, "no such order")
    lines = [f"{item['quantity']} x {item['sku']} at {price_tag(item['sku'])}" for item in found.items]
    return JSONResponse(
        {
            "order_id": found.order_id,
            "status": found.status,
            "reason": found.reason,
            "total_cents": found.total_cents,
            "lines": lines,
        }
    )


async def price(request: Request) -> JSONResponse:
    """PUT /api/prices/{sku}: change an article's price."""
    ledger.received("http", "PUT /api/prices/{sku}")
    body = await _body(request, "price_cents")
    try:
        change_price(request.path_params["sku"], body["price_cents"])
    except KeyError:
        raise HTTPException(404, "no such article") from None
    return JSONResponse({"sku": request.path_params["sku"], "price_cents": body["price_cents"]})


def build(lifespan: Lifespan[Starlette]) -> Starlette:
    """Return the application; `lifespan` opens and closes what it is connected to."""
    return Starlette(
        routes=[
            Route("/api/register", register, methods=["POST"]),
            Route("/api/orders", order, methods=["POST"]),
            Route("/api/orders/{order_id}", order_status, methods=["GET"]),
            Route("/api/prices/{sku}", price, methods=["PUT"]),
        ],
        lifespan=lifespan,
    )

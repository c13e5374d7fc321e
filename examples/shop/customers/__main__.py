"""Runs the scenario: customers register, order and wait. Ends with 0 if all went as planned."""

import asyncio
import sys

import httpx
from websockets.exceptions import ConnectionClosed

from shop.customers.feed import FeedError, StatusClient
from shop.customers.scenario import NEW_PRICES, Customer, PlannedOrder, plan
from shop.runtime import ledger, settings

ORDER_SECONDS = 15.0


async def call(http: httpx.AsyncClient, method: str, path: str, expected: int, **body: object) -> httpx.Response:
    """Make an HTTP request that must be answered with status `expected`."""
    response = await http.request(method, path, json=body or None)
    if response.status_code != expected:
        raise SystemExit(f"customers: {method} {path}: {response.status_code} instead of {expected}: {response.text}")
    return response


async def register(http: httpx.AsyncClient, customer: Customer) -> str:
    """Open an account and return its user id; leave out what the customer leaves out."""
    optional = {"newsletter": customer.newsletter, "referrer": customer.referrer}
    given = {name: value for name, value in optional.items() if value is not None}
    ledger.sent("http", "POST /api/register")
    response = await call(
        http,
        "POST",
        "/api/register",
        201,
        email=customer.email,
        name=customer.name,
        password=f"secret of {customer.name}",
        **given,
    )
    return str(response.json()["user_id"])


async def buy(http: httpx.AsyncClient, feed: StatusClient, user_id: str, order: PlannedOrder) -> str:
    """Place an order, wait for its last status, look at it once more; return the status."""
    coupon = {"coupon": order.coupon} if order.coupon else {}
    ledger.sent("http", "POST /api/orders")
    placed = await call(
        http,
        "POST",
        "/api/orders",
        202,
        user_id=user_id,
        items=[{"sku": sku, "quantity": quantity} for sku, quantity in order.items],
        card_token=order.card_token,
        sales_channel=order.sales_channel,
        **coupon,
    )
    order_id = placed.json()["order_id"]
    status = await asyncio.wait_for(feed.finished.get(), ORDER_SECONDS)
    ledger.sent("http", "GET /api/orders/{order_id}")
    seen = await call(http, "GET", f"/api/orders/{order_id}", 200)
    if not (status["order_id"] == order_id and status["status"] == seen.json()["status"] == order.outcome):
        raise SystemExit(f"customers: order {order_id} should be {order.outcome}, but is {seen.text}")
    return str(status["status"])


async def visit(http: httpx.AsyncClient, notifier: str, customer: Customer) -> list[str]:
    """Live through one customer's visit; return how the orders ended."""
    user_id = await register(http, customer)
    feed = await StatusClient.open(notifier)
    await feed.request("subscribe", topic=f"user:{user_id}")
    outcomes = [await buy(http, feed, user_id, order) for order in customer.orders]
    await feed.request("unsubscribe", topic=f"user:{user_id}")
    await feed.close()
    return outcomes


async def make_mistakes(http: httpx.AsyncClient, feed: StatusClient, known: Customer) -> None:
    """Ask for what the shop must refuse: a second account, an order without articles, an unknown request."""
    ledger.sent("http", "POST /api/register")
    await call(http, "POST", "/api/register", 409, email=known.email, name=known.name, password="x")
    ledger.sent("http", "POST /api/orders")
    await call(http, "POST", "/api/orders", 422, user_id="nobody")
    try:
        await feed.request("rewind", topic="*")
    except FeedError:
        return
    raise SystemExit("customers: the notifier took a request that it cannot know")


async def run() -> None:
    """Run the whole scenario."""
    shop = settings.from_environment()
    customers = plan()
    async with httpx.AsyncClient(base_url=shop.storefront, trust_env=False, timeout=ORDER_SECONDS) as http:
        office = await StatusClient.open(shop.notifier)
        await office.request("subscribe", topic="*")
        for sku, price_cents in NEW_PRICES.items():
            ledger.sent("http", "PUT /api/prices/{sku}")
            await call(http, "PUT", f"/api/prices/{sku}", 200, price_cents=price_cents)
        visits = await asyncio.gather(*(visit(http, shop.notifier, customer) for customer in customers))
        outcomes = [outcome for visited in visits for outcome in visited]
        for _ in outcomes:  # the back office has seen every order end
            await asyncio.wait_for(office.finished.get(), ORDER_SECONDS)
        await make_mistakes(http, office, customers[0])
        await office.request("unsubscribe", topic="*")
        await office.close()
    print(
        f"{len(customers)} customers placed {len(outcomes)} orders:",
        f"{outcomes.count('confirmed')} confirmed, {outcomes.count('cancelled')} cancelled",
    )
    ledger.write("customers")


if __name__ == "__main__":
    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, httpx.TransportError, ConnectionClosed) as error:
        sys.exit(f"customers: the shop does not answer any more: {error!r}")

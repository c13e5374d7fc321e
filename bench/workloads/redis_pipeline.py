"""redis-py: PUBLISH in pipelines of a hundred."""

from collections.abc import Sequence

import measuring
import redis

options = measuring.options()
client = redis.Redis.from_url(options.url)
bodies = measuring.bodies(options.all)


def publish(some: Sequence[bytes]) -> None:
    for start in range(0, len(some), 100):
        with client.pipeline(transaction=False) as pipeline:
            for body in some[start : start + 100]:
                pipeline.publish(options.channel, body)
            pipeline.execute()


publish(bodies[: options.warm_up])
with measuring.measured(options):
    for burst in measuring.bursts(bodies[options.warm_up :], options):
        publish(burst)
client.close()

"""redis-py: PUBLISH, one command a round trip."""

import measuring
import redis

options = measuring.options()
client = redis.Redis.from_url(options.url)
bodies = measuring.bodies(options.all)
for body in bodies[: options.warm_up]:
    client.publish(options.channel, body)
with measuring.measured(options):
    for burst in measuring.bursts(bodies[options.warm_up :], options):
        for body in burst:
            client.publish(options.channel, body)
client.close()

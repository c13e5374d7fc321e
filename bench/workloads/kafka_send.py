"""kafka-python: send to a topic, and flush at the end."""

import measuring
from kafka import KafkaProducer

options = measuring.options()
producer = KafkaProducer(bootstrap_servers=options.url)
bodies = measuring.bodies(options.all)
for body in bodies[: options.warm_up]:
    producer.send(options.channel, body)
producer.flush()
with measuring.measured(options):
    for burst in measuring.bursts(bodies[options.warm_up :], options):
        for body in burst:
            producer.send(options.channel, body)
    producer.flush()
producer.close()

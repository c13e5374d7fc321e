"""Makes, changes, looks at and deletes topics. Arguments: broker, prefix of names."""

import sys

from account import did, tell
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic

broker, prefix = sys.argv[1:]
admin = KafkaAdminClient(bootstrap_servers=broker)
one, two = f"{prefix}-one", f"{prefix}-two"
configs = {"retention.ms": "60000", "cleanup.policy": "compact"}
admin.create_topics([NewTopic(one, 2, 1, topic_configs=configs), NewTopic(two, num_partitions=1, replication_factor=1)])
did("create", topic=one, partitions=2, replication_factor=1, configs=configs)
did("create", topic=two, partitions=1, replication_factor=1)
try:
    admin.create_topics([NewTopic(one, 2, 1)])
except Exception as error:  # noqa: BLE001 - whatever the library does
    did("create", topic=one, partitions=2, replication_factor=1, error=type(error).__name__)
admin.create_partitions({two: NewPartitions(3)})
did("create_partitions", topic=two, partitions=3)
admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, one, {"retention.ms": "90000"})])
did("alter", topic=one, configs={"retention.ms": "90000"})
for topic in admin.describe_topics([one]):
    did("describe", topic=one, partitions=len(topic["partitions"]), replication_factor=1)
admin.delete_topics([one, two])
did("delete", topic=one)
did("delete", topic=two)
admin.close()
tell()

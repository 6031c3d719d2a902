"""The window job of the original design: windows of ten seconds by the device's clock, a watermark, one average each.

usage: job.py SPARK_CONNECT_URL INPUT_FOLDER OUTPUT_FOLDER

Reads files of JSON lines in the order of their names, one file a batch. Writes each window once, when the watermark has
passed its end; a reading behind the watermark is dropped, as Structured Streaming does.
"""

import sys

from pyspark.sql import SparkSession, functions as f

url, source, target = sys.argv[1:]
spark = SparkSession.builder.remote(url).getOrCreate()
spark.conf.set("spark.sql.shuffle.partitions", "2")
spark.conf.set("spark.sql.session.timeZone", "UTC")
readings = (
    spark.readStream.schema("device_id string, ms long, sensor string, value double")
    .option("maxFilesPerTrigger", 1)
    .option("latestFirst", "false")
    .json(source)
    .withColumn("timestamp", f.timestamp_millis("ms"))
)
windows = (
    readings.withWatermark("timestamp", "1 minute")
    .groupBy(f.window("timestamp", "10 seconds"), "device_id", "sensor")
    .agg(f.avg("value").alias("average"), f.min("value").alias("minimum"), f.max("value").alias("maximum"), f.count("value").alias("count"))
    .select(f.unix_millis("window.start").alias("startMs"), "device_id", "sensor", "average", "minimum", "maximum", "count")
)
query = (
    windows.writeStream.outputMode("append")
    .option("checkpointLocation", target + "-checkpoint")
    .trigger(availableNow=True)
    .format("json")
    .start(target)
)
query.awaitTermination()
if query.exception() is not None:
    raise query.exception()
spark.stop()

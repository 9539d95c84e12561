"""What ported GameSparks scripts import: `from tornado_cc.gamesparks import Spark`."""

from tornado_cc.dialects.gamesparks.spark import Spark, SparkLog, SparkScheduler
from tornado_cc.dialects.gamesparks.spark_digest import SparkDigest
from tornado_cc.dialects.gamesparks.spark_http import SparkHttp, SparkHttpResponse
from tornado_cc.dialects.gamesparks.spark_json import JsonObject
from tornado_cc.dialects.gamesparks.spark_player import SparkPlayer

__all__ = [
    "JsonObject",
    "Spark",
    "SparkDigest",
    "SparkHttp",
    "SparkHttpResponse",
    "SparkLog",
    "SparkPlayer",
    "SparkScheduler",
]

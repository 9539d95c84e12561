"""The scripts of GameSparks' page "How to Implement External HTTP Callbacks", line by line.

`?example=` names one. Where the page only reads something, the script gives it back as well.
"""

from collections.abc import Callable, Mapping

from tornado_cc import CallbackCall, Plugin
from tornado_cc.gamesparks import Spark

plugin = Plugin("callbacks")


@plugin.on_callback(credential="callbacks")
def callback(call: CallbackCall) -> None:
    """Run one of the examples."""
    spark = Spark(call)
    example = EXAMPLES.get(str(spark.getData().example))
    if example is None:
        spark.setScriptError("example", "UNKNOWN")
        spark.exit()
    example(spark)


def adding_parameters(spark: Spark) -> None:
    """Of one parameter a string, of several under one name an array."""
    # attribute1 is a string
    attribute1 = spark.getData().attr1

    # attribute2 is an array
    attribute2 = spark.getData().attr2

    # attribute2[0] is bcd
    # attribute2[1] is cde
    spark.setScriptData("attribute1", attribute1)
    spark.setScriptData("attribute2", [attribute2[0], attribute2[1]])


def script_data(spark: Spark) -> None:
    """The script data is the answer."""
    spark.setScriptData("key1", "value1")
    spark.setScriptData("key2", "value2")


def response_raw(spark: Spark) -> None:
    """A text in its place."""
    spark.setScriptData("RESPONSE_RAW", "OK")


def response_headers(spark: Spark) -> None:
    """With a header."""
    spark.setScriptData("RESPONSE_HEADERS", {"myHeader": "myValue"})


def request_body(spark: Spark) -> None:
    """What was posted, as text."""
    raw_post_data = spark.getData().REQUEST_BODY
    spark.setScriptData("RESPONSE_RAW", raw_post_data)


EXAMPLES: Mapping[str, Callable[[Spark], None]] = {
    "parameters": adding_parameters,
    "json": script_data,
    "raw": response_raw,
    "headers": response_headers,
    "post": request_body,
}

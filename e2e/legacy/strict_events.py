# Every event that the server sends about jobs.
EVENTS = (
    "connection",
    "subscribed",
    "subscription:error",
    "job:update",
    "job:completed",
    "job:error",
)

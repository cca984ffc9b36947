"""Where something begins: timers and HTTP. Who is it, is it valid, start or look up, answer; no decisions."""

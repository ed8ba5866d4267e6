"""Motion: how the camera moves, what moves before it, and what a static scene gains or loses for good.

Four kinds of observation, told apart by `data["kind"]`:

* "camera": a stretch of one move. {"move": "static" | "pan left" | "pan right" | "tilt up" | "tilt down" | "zoom in" |
  "zoom out" | "shake", "scale", "dx", "dy"}: scale above 1 means the camera ends nearer; dx, dy are how far it
  turned right and down, in picture widths and heights.
* "travel": the same, summed over a whole shot.
* "mover": one thing that moved, with its track. {"direction": "left" | "right" | "up" | "down" | "nearer" | "farther" |
  "still", "enters", "leaves": an edge of the picture or null, "colours": [[name, share], ...], "area": median share of
  the picture, "distance": picture sides, "smoothness": 0 to 1}.
* "change": something was put down or taken away. {"change": "appeared" | "disappeared" | "changed", "colours"}; the
  span is the time of activity around it, the track one box.
"""

from vidence.senses.motion.sense import Motion

__all__ = ["Motion"]

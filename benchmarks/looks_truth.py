"""What was seen by eye on the clips: phrases with their times, in three languages, and kinds of things with theirs.

Times in seconds. `OPEN` lists kinds on which people may differ for a clip (a jean is clothing; is a path a garden?):
they count neither way.
"""

from __future__ import annotations

Times = list[tuple[float, float]]
ALWAYS: Times = [(-1.0, 1e6)]

# clip, times, English, Spanish, German
PHRASES: list[tuple[str, Times, tuple[str, str, str]]] = [
    ("sam2_dog", [(0, 2.4), (3.6, 10)], ("a dog", "un perro", "ein Hund")),
    ("bbb_480p_30s", [(15.8, 21.5)],
     ("a bird on a branch", "un pájaro en una rama", "ein Vogel auf einem Ast")),
    ("imageio_cockatoo", ALWAYS,
     ("a parrot looks into the camera", "un loro mira a la cámara", "ein Papagei schaut in die Kamera")),
    ("intel_car", [(4.5, 8.6), (14.9, 18.6), (25.2, 27.8)],
     ("cars seen from above", "coches vistos desde arriba", "Autos von oben gesehen")),
    ("intel_bottle", ALWAYS,
     ("plastic water bottles", "botellas de agua de plástico", "Wasserflaschen aus Plastik")),
    ("gnome_dual", [(3, 34)],
     ("a window on a computer screen", "una ventana en la pantalla del ordenador",
      "ein Fenster auf einem Computerbildschirm")),
    ("sam2_juggle", ALWAYS,
     ("a man plays with a football", "un hombre juega con un balón de fútbol",
      "ein Mann spielt mit einem Fußball")),
    ("udacity_solidWhiteRight", ALWAYS,
     ("driving on a highway", "conduciendo por la autopista", "Fahrt auf der Autobahn")),
    ("bbb_480p_30s", [(2, 11.9)],
     ("trees and meadows under clouds", "árboles y prados bajo las nubes", "Bäume und Wiesen unter Wolken")),
    ("bbb_480p_30s", [(12, 15.8)],
     ("a brook between grass and flowers", "un arroyo entre hierba y flores",
      "ein Bach zwischen Gras und Blumen")),
    ("sam2_cups", ALWAYS,
     ("red cups on a table", "vasos rojos en una mesa", "rote Becher auf einem Tisch")),
    ("meca_balle", ALWAYS,
     ("a ball rolls over a board", "una pelota rueda por una tabla", "eine Kugel rollt über ein Brett")),
    ("frenchgp1906", [(12, 19.2)],
     ("an old racing car", "un coche de carreras antiguo", "ein alter Rennwagen")),
    ("mdn_crystal", ALWAYS,
     ("a glass flower on a wooden table", "una flor de cristal sobre una mesa de madera",
      "eine Glasblume auf einem Holztisch")),
    ("nasa_13013", ALWAYS,
     ("a worker on a lift in a dark hall", "un trabajador en una plataforma elevadora en una sala oscura",
      "ein Arbeiter auf einer Hebebühne in einer dunklen Halle")),
    ("opencv_vtest", ALWAYS,
     ("people walk on a path beside a lawn", "gente camina por un sendero junto al césped",
      "Leute gehen auf einem Weg neben dem Rasen")),
    ("bbb_480p_30s", [(24, 30)],
     ("the title of a film", "el título de una película", "der Titel eines Films")),
    ("nasa_13013", [(5.5, 8.0)],
     ("a person in a white protective suit", "una persona con traje blanco de protección",
      "eine Person im weißen Schutzanzug")),
]  # fmt: skip

# clip: [(kinds, times)]; every other kind is absent from the clip unless `OPEN`
PRESENT: dict[str, list[tuple[str, Times]]] = {
    "sam2_dog": [("animal, mammal, dog", [(0, 2.4), (3.6, 10)])],
    "bbb_480p_30s": [("bird, animal", [(15.8, 21.5)]), ("landscape, field", [(2, 11.9)]),
                     ("water, flower", [(12, 15.8)])],
    "imageio_cockatoo": [("animal, bird, parrot", ALWAYS)],
    "intel_car": [("vehicle, motor vehicle, car", [(4.5, 8.6), (14.9, 18.6), (25.2, 27.8)])],
    "intel_bottle": [("bottle", ALWAYS)],
    "gnome_dual": [("computer, screen, web page, text, electronic equipment", [(3, 34)])],
    "sam2_juggle": [("ball, sport, sports equipment, football", ALWAYS)],
    "udacity_solidWhiteRight": [("vehicle, motor vehicle, car, traffic", ALWAYS)],
    "sam2_cups": [("cup, drinking vessel, clothing, table", ALWAYS), ("ball", [(0, 0.9)])],
    "meca_balle": [("ball", ALWAYS)],
    "frenchgp1906": [("vehicle, car, racing car", [(11, 19.2)])],
    "mdn_crystal": [("flower, plant", ALWAYS)],
    "nasa_13013": [],
    "opencv_vtest": [("car, van, vehicle, motor vehicle, building", ALWAYS)],
}  # fmt: skip

OPEN: dict[str, str] = {
    "sam2_dog": "clothing, shoe, plant, garden, building, flower, window, door, person",
    "bbb_480p_30s": (
        "plant, garden, text, mountain, landscape, field, water, flower, geological "
        "formation, book, mammal, lake, food, fruit, vegetable, web page"
    ),
    "imageio_cockatoo": "window, bird of prey, seabird, house, door, building",
    "intel_car": "traffic, road sign, sign, wheel, van, taxi, truck, bus",
    "intel_bottle": "drink, drinking vessel, toiletry, pot, food, table, furniture, kitchen",
    "gnome_dual": (
        "office, text, book, telephone, household appliance, screen, curtain, web page, "
        "computer, furniture, paper, electronic equipment, bedroom"
    ),
    "sam2_juggle": (
        "clothing, shoe, plant, building, playground, garden, dress, person, window, tool, "
        "house, toy"
    ),
    "udacity_solidWhiteRight": "truck, van, bus, road sign, traffic light, sign, taxi, racing car, wheel",
    "sam2_cups": (
        "furniture, basket, dress, skirt, sport, sports equipment, box, pot, bottle, garden, "
        "plant, kitchen utensil, toy, person, drink"
    ),
    "meca_balle": "paper, sports equipment, sport, furniture, desk, table, text, screen",
    "frenchgp1906": (
        "motor vehicle, cart, fence, landscape, bicycle, military vehicle, truck, wheel, "
        "field, racing car, water, geological formation, mountain, coast"
    ),
    "mdn_crystal": "table, furniture, toy, dish of food, household appliance",
    "nasa_13013": "stage, vehicle, concert, fence, person, clothing, tool, motor vehicle, lamp, cart",
    "opencv_vtest": (
        "fence, traffic, clothing, furniture, plant, camera, sign, window, bag, house, "
        "garden, landscape, field, road sign, church, wheel, tower, person, shoe, truck, bus, "
        "motor vehicle, flag"
    ),
}  # fmt: skip

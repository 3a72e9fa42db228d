"""Places: coordinates become the names that people who live there would use, in English and in Russian."""

# ruff: noqa: RUF001  # Russian is written in Cyrillic
from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.media.places import Country, Gazetteer
from archive.media.places.russian import choose

ROOT = Path(__file__).resolve().parents[1]
PLACES = Gazetteer()

# Coordinates of the centres, and both names.
KNOWN = """
55.7558 37.6173 Moscow|Москва
59.9343 30.3351 Saint Petersburg|Санкт-Петербург
56.8389 60.6057 Yekaterinburg|Екатеринбург
55.0084 82.9357 Novosibirsk|Новосибирск
56.2965 43.9361 Nizhniy Novgorod|Нижний Новгород
55.7963 49.1088 Kazan|Казань
53.1959 50.1002 Samara|Самара
54.9885 73.3242 Omsk|Омск
47.2357 39.7015 Rostov-on-Don|Ростов-на-Дону
54.7388 55.9721 Ufa|Уфа
56.0153 92.8932 Krasnoyarsk|Красноярск
58.0105 56.2502 Perm|Пермь
51.6608 39.2003 Voronezh|Воронеж
48.7080 44.5133 Volgograd|Волгоград
43.1155 131.8855 Vladivostok|Владивосток
43.5855 39.7231 Sochi|Сочи
54.7104 20.4522 Kaliningrad|Калининград
57.6261 39.8845 Yaroslavl|Ярославль
55.8890 37.4300 Khimki|Химки
59.7200 30.4100 Pushkin|Пушкин
50.4501 30.5234 Kyiv|Киев
49.9935 36.2304 Kharkiv|Харьков
46.4825 30.7233 Odesa|Одесса
49.8397 24.0297 Lviv|Львов
53.9045 27.5615 Minsk|Минск
43.2389 76.8897 Almaty|Алматы
51.1694 71.4491 Astana|Астана
41.2995 69.2401 Tashkent|Ташкент
41.7151 44.8271 Tbilisi|Тбилиси
40.1792 44.4991 Yerevan|Ереван
40.4093 49.8671 Baku|Баку
42.8746 74.5698 Bishkek|Бишкек
47.9077 106.8832 Ulan Bator|Улан-Батор
56.9496 24.1052 Riga|Рига
54.6872 25.2797 Vilnius|Вильнюс
59.4370 24.7536 Tallinn|Таллин
60.1699 24.9384 Helsinki|Хельсинки
48.8566 2.3522 Paris|Париж
51.5074 -0.1278 London|Лондон
52.5200 13.4050 Berlin|Берлин
48.1374 11.5755 Munich|Мюнхен
53.5511 9.9937 Hamburg|Гамбург
48.2082 16.3738 Vienna|Вена
50.0755 14.4378 Prague|Прага
52.2297 21.0122 Warsaw|Варшава
47.4979 19.0402 Budapest|Будапешт
44.8125 20.4612 Belgrade|Белград
42.6977 23.3219 Sofia|София
44.4268 26.1025 Bucharest|Бухарест
41.9028 12.4964 Rome|Рим
45.4642 9.1900 Milan|Милан
45.4371 12.3327 Venice|Венеция
40.4168 -3.7038 Madrid|Мадрид
41.3874 2.1686 Barcelona|Барселона
38.7223 -9.1393 Lisbon|Лиссабон
37.9838 23.7275 Athens|Афины
41.0082 28.9784 Istanbul|Стамбул
36.8969 30.7133 Antalya|Анталья
52.3676 4.9041 Amsterdam|Амстердам
50.8467 4.3525 Brussels|Брюссель
55.6761 12.5683 Copenhagen|Копенгаген
59.3293 18.0686 Stockholm|Стокгольм
40.7580 -73.9855 New York City|Нью-Йорк
34.0522 -118.2437 Los Angeles|Лос-Анджелес
41.8781 -87.6298 Chicago|Чикаго
37.7793 -122.4193 San Francisco|Сан-Франциско
38.9072 -77.0369 Washington|Вашингтон
19.4326 -99.1332 Mexico City|Мехико
-22.9068 -43.1729 Rio de Janeiro|Рио-де-Жанейро
-34.6037 -58.3816 Buenos Aires|Буэнос-Айрес
35.6762 139.6503 Tokyo|Токио
39.9042 116.4074 Beijing|Пекин
31.2304 121.4737 Shanghai|Шанхай
37.5665 126.9780 Seoul|Сеул
13.7563 100.5018 Bangkok|Бангкок
1.2903 103.8519 Singapore|Сингапур
28.6139 77.2090 Delhi|Дели
25.0772 55.3093 Dubai|Дубай
30.0444 31.2357 Cairo|Каир
32.0853 34.7818 Tel Aviv|Тель-Авив
-33.8688 151.2093 Sydney|Сидней
"""


@pytest.mark.parametrize("line", KNOWN.split("\n")[1:-1])
def test_well_known_cities_bear_their_names(line: str) -> None:
    latitude, longitude, names = line.split(" ", 2)
    place = PLACES.find(float(latitude), float(longitude))
    assert place is not None
    assert [place.name, place.name_ru] == names.split("|")


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        (51.536, -0.103, "London"),  # Islington
        (55.80, 37.40, "Moscow"),  # Strogino
        (55.91, 37.73, "Mytishchi"),
        (48.8049, 2.1204, "Versailles"),
        (34.0736, -118.4004, "Beverly Hills"),
        (55.99, 37.20, "Zelenograd"),
    ],
)
def test_a_district_is_its_city_and_a_town_beside_it_is_not(latitude: float, longitude: float, name: str) -> None:
    place = PLACES.find(latitude, longitude)
    assert place is not None
    assert place.name == name


def test_a_place_says_where_it_is() -> None:
    place = PLACES.find(55.889, 37.43)
    assert place is not None
    assert place.country == Country("RU", "Russia", "Россия") == PLACES.country("ru")
    assert (place.admin, place.admin_ru, place.timezone) == ("Moscow Oblast", "Московская область", "Europe/Moscow")
    assert place.id is not None
    assert PLACES.by_id(place.id) == place


def test_what_is_not_there_is_not_found() -> None:
    for number in (-1, 0, 1, 1 << 40):
        assert PLACES.by_id(number) is None
    assert PLACES.country("XX") is None
    for latitude, longitude in ((30, -40), (math.nan, 0), (0, math.inf), (91, 0), (-91, 0)):
        assert PLACES.find(latitude, longitude) is None


def test_far_from_all_places_only_the_country_is_said() -> None:
    place = PLACES.find(62, 100)
    assert place is not None
    assert (place.id, place.name, place.country.code) == (None, None, "RU")


def test_the_date_line_and_the_poles_are_no_edges() -> None:
    for latitude, longitude in ((-16.8, 179.99), (-16.8, -179.99), (66.1, -179.9), (66.1, 180.1), (90, 0), (-90, 77)):
        place, other = PLACES.find(latitude, longitude), PLACES.find(latitude, longitude - 360)
        assert place == other
    fiji = [PLACES.find(-16.8, longitude) for longitude in (179.99, -179.99)]
    assert [place and place.country.code for place in fiji] == ["FJ", "FJ"]


@settings(max_examples=200, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_everywhere_the_nearest_place_is_found(latitude: float, longitude: float) -> None:
    table, here = PLACES._table, (math.radians(latitude), math.radians(longitude))
    point = [math.cos(here[0]) * math.cos(here[1]), math.cos(here[0]) * math.sin(here[1]), math.sin(here[0])]
    first, likeness = PLACES._around(latitude, longitude, 200)
    whole = table.points @ point
    if whole.max() >= math.cos(200 / 6371):
        assert first + int(likeness.argmax()) == int(whole.argmax()) or likeness.max() == pytest.approx(whole.max())
        assert PLACES.find(latitude, longitude) is not None
    else:
        assert PLACES.find(latitude, longitude) is None


def test_every_place_can_be_asked_for() -> None:
    table = PLACES._table
    assert all(one <= other for one, other in pairwise(table.latitudes))
    for index in range(0, len(table.ids), 997):
        place = PLACES.by_id(int(table.ids[index]))
        assert place is not None
        assert place.name
        assert place.country.name_ru


def test_russian_names_are_russian() -> None:
    table = PLACES._table
    letters = set("абвгдеёжзийклмнопрстуфхцчшщъыьэюя- ’'ivx0123456789")
    for index in range(len(table.ids)):
        assert set(table.russian.at(index).lower()) <= letters, table.russian.at(index)


@pytest.mark.parametrize(
    ("name", "others", "chosen"),
    [
        ("Vyshniy Volochëk", ["Вишній Волочок", "Вышний Волочёк", "Вышний Волочек"], "Вышний Волочёк"),
        ("Podol’sk", ["Подільськ", "Подольск", "Подолск"], "Подольск"),
        ("Naberezhnyye Chelny", ["Яр Чаллы", "Набережные Челны"], "Набережные Челны"),
        ("Moscow", ["Москва", "Масква"], None),
    ],
)
def test_the_russian_name_is_told_from_its_neighbours(name: str, others: list[str], chosen: str | None) -> None:
    assert choose(name, others) == chosen


def test_nothing_is_loaded_before_the_first_question() -> None:
    program = "import archive.media.places as p, sys; g = p.Gazetteer(); print('_table' in vars(g))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

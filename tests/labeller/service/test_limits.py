"""The room never holds more photos or bytes than it may, and what leaves makes room again."""
from labeller.service.limits import MEGA, Limits, Room


def test_no_more_photos_enter_than_may():
    room = Room(Limits(photos=2))
    assert [room.enter(), room.enter(), room.enter()] == [True, True, False]
    room.leave(0)
    assert room.enter()
    assert room.photos == 2


def test_no_more_bytes_are_held_than_may():
    room = Room(Limits(held=1))
    assert room.enter()
    assert room.hold(MEGA - 1)
    assert not room.hold(2)
    assert room.bytes == MEGA - 1  # what did not fit does not count
    assert room.hold(1)
    room.leave(MEGA)
    assert (room.photos, room.bytes) == (0, 0)

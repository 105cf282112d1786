"""Random stories against a model that predicts every byte of every stream.

A failure prints its seed; SSEMUX_SEED=N plays that one again.
"""
import collections
import os
import random
import time
import unittest

from broker import SCALE, BrokerCase
from model_play import Play
from model_world import Mode, World

SEED = int(os.environ.get("SSEMUX_SEED", "0"))
WORLDS = 3 if SCALE == 1 else 4 * SCALE  # brokers of each kind,
STORIES = 20 if SCALE == 1 else 40       # and stories with each


class Model(BrokerCase):
    def seeds(self):
        return [SEED] if SEED else range(1, WORLDS + 1)

    def play(self, kind, mode_of):
        count, began = 0, time.monotonic()
        tally = collections.Counter()
        for seed in self.seeds():
            dice = random.Random("%s %d" % (kind, seed))
            mode = mode_of(dice)
            world = World(self, dice, mode)
            for number in range(STORIES):
                play = Play(world, random.Random(
                    "%s %d %d" % (kind, seed, number)), "m%d" % number)
                try:
                    play.run()
                except BaseException:
                    print("SSEMUX_SEED=%d, story %d of %r:" % (
                        seed, number, mode))
                    for step in play.done:
                        print("  ", step)
                    raise
                count += 1
            world.end()
            tally.update(world.log.tally)
        print("%s: %d stories, %.1f s; %s" % (
            kind, count, time.monotonic() - began, ", ".join(
                "%s %d" % row for row in sorted(tally.items()))))

    def test_stories_of_a_broker_that_lives(self):
        self.play("lives", lambda dice: Mode(
            dice.choice([64, 100, 200]), 64, False,
            dice.choice([1, 2, 3]), dice.choice(["4k", "4k", "128k"])))

    def test_stories_of_what_only_the_window_still_has(self):
        self.play("window", lambda dice: Mode(
            dice.choice([5, 16, 40]), 64, False, 1,
            dice.choice(["4k", "128k"])))

    def test_stories_of_channels_with_rules_of_their_own(self):
        self.play("rules", lambda dice: Mode(
            100000, 64, False, 1, dice.choice(["4k", "128k"]),
            (("few", dice.choice([1, 3, 10])), ("none", 0),
             ("latest", "latest"))))

    def test_stories_of_a_broker_that_is_killed(self):
        self.play("killed", lambda dice: Mode(
            dice.choice([64, 100]), 64, True, 2,
            dice.choice(["4k", "128k"])))


if __name__ == "__main__":
    unittest.main()

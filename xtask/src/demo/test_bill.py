import unittest

from bill import split


class TestSplit(unittest.TestCase):
    def test_an_even_bill(self):
        self.assertEqual(split(900, 3), [300, 300, 300])

    def test_no_cent_is_lost(self):
        self.assertEqual(sum(split(1000, 3)), 1000)

    def test_nobody_pays_much_more(self):
        shares = split(1000, 3)
        self.assertLessEqual(max(shares) - min(shares), 1)


if __name__ == "__main__":
    unittest.main()

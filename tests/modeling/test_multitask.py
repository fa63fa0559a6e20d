"""Three heads say as much of the 18 classes as one, and a class is a choice of each."""
import torch

from stages.core.classes import CONTEST
from stages.modeling.multitask import class_logs, split_target

torch.manual_seed(0)
HEADS = (3, 2, 3)
LOGITS = torch.randn(20, 8)


def test_one_head_is_a_softmax():
    torch.testing.assert_close(class_logs(LOGITS, (8,)).exp(), LOGITS.softmax(1))


def test_the_classes_of_several_heads_are_products_in_the_order_of_the_18():
    mask, gender, age = (part.softmax(1) for part in LOGITS.split(HEADS, 1))
    chances = class_logs(LOGITS, HEADS).exp()
    for c in range(18):
        m, g, a = CONTEST.decode(c)
        torch.testing.assert_close(chances[:, c], mask[:, m] * gender[:, g] * age[:, a])


def test_the_likeliest_class_is_the_likeliest_of_each_head():
    chosen = CONTEST.decode(class_logs(LOGITS, HEADS).argmax(1))
    assert all(torch.equal(part.argmax(1), own) for part, own in zip(LOGITS.split(HEADS, 1), chosen))


def test_a_class_is_split_into_a_choice_of_each_head():
    target = torch.arange(18)
    assert all(torch.equal(part, own) for part, own in zip(split_target(target, HEADS), CONTEST.decode(target)))


def test_soft_labels_are_split_into_what_they_say_of_each_head():
    soft = torch.zeros(1, 18)
    soft[0, 0], soft[0, 17] = 0.7, 0.3  # worn male under30, and bare female 60plus
    mask, gender, age = split_target(soft, HEADS)
    torch.testing.assert_close(mask, torch.tensor([[0.7, 0.0, 0.3]]))
    torch.testing.assert_close(gender, torch.tensor([[0.7, 0.3]]))
    torch.testing.assert_close(age, torch.tensor([[0.7, 0.0, 0.3]]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who gets an event, and what the mapping makes of it, as it arrives."""

import unittest

from host import Case, Host, event
from receiver import Receiver

FIELDS = ('<fields><field key="favouriteColour" label="Favourite Colour"/>'
          '</fields>')


class Records(Case):
    def make_host(self):
        return Host(parts=FIELDS)

    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())

    def record(self, content, **data):
        """What arrives of an event with this data."""
        self.host.webhook("web", self.receiver.url, content)
        result = self.host.send([event("x", **data)])
        self.assertEqual(result.status, 0, result)
        return self.receiver.records()[-1]

    def test_source_value_template_and_their_order(self):
        made = self.record(
            '<map><field name="z" source="score"/>'
            '<field name="campaign" value="Summer &amp; &quot;2026&quot;"/>'
            '<field name="a" template="{{firstName}} ({{town}})"/></map>',
            score=12, firstName="Zoë", town="Orléans")
        self.assertEqual(made, {"z": 12, "campaign": 'Summer & "2026"',
                                "a": "Zoë (Orléans)"})
        self.assertEqual(list(made), ["z", "campaign", "a"])

    def test_as_number_string_and_boolean(self):
        made = self.record(
            '<map><field name="n" source="score" as="number"/>'
            '<field name="s" source="timeTaken" as="string"/>'
            '<field name="b" source="optinNewsletter" as="boolean"/>'
            '<field name="c" value="7" as="number"/></map>',
            score="12.5", timeTaken=61, optinNewsletter="yes")
        self.assertEqual(made, {"n": 12.5, "s": "61", "b": True, "c": 7})
        self.assertIs(made["b"], True)

    def test_what_a_missing_field_does(self):
        made = self.record(
            '<map><field name="omitted" source="email"/>'
            '<field name="null" source="email" missing="null"/>'
            '<field name="score" source="score" default="0" as="number"/>'
            '<field name="id" source="id"/></map>')
        self.assertEqual(made, {"null": None, "score": 0, "id": "x"})

    def test_a_missing_field_may_fail_the_delivery(self):
        self.host.webhook("web", self.receiver.url, '<map><field name="mail" '
                          'source="email" missing="fail"/></map>')
        result = self.host.send([event("x")])
        self.assertEqual(result.status, 1, result)
        self.assertEqual(result.lane("web")["rejected"], 1)
        self.assertIn("mail: the event has no email", result.reasons("web"))
        self.assertEqual(self.receiver.n_requests, 0)

    def test_dotted_names_nest_where_asked_for(self):
        rows = ('<field name="person.name.first" source="firstName"/>'
                '<field name="person.mail" source="email"/>')
        data = {"firstName": "A", "email": "a@example.com"}
        self.assertEqual(
            self.record(f'<map nested="true">{rows}</map>', **data),
            {"person": {"name": {"first": "A"}, "mail": "a@example.com"}})
        self.assertEqual(
            self.record(f"<map>{rows}</map>", **data),
            {"person.name.first": "A", "person.mail": "a@example.com"})

    def test_a_field_that_herald_xml_adds(self):
        self.assertEqual(self.record(
            '<map><field name="c" source="favouriteColour"/></map>',
            favouriteColour="bleu"), {"c": "bleu"})

    def test_hostile_values_arrive_as_they_are(self):
        hostile = '"}],"x":[{"\\ \n\t%s%n\u2028 {{id}} </x>\U0001f389'
        made = self.record(
            '<map><field name="v" source="customText"/>'
            '<field name="t" template="-{{customText}}-"/></map>',
            customText=hostile)
        self.assertEqual(made, {"v": hostile, "t": f"-{hostile}-"})


class Choice(Case):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())

    def chosen(self, extra, events):
        self.host.webhook("web", self.receiver.url, extra=extra)
        result = self.host.send(events)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.report["events"], len(events))
        self.assertEqual(result.report["noMatch"],
                         len(events) - result.lane("web")["delivered"])
        return sorted(one["id"] for one in self.receiver.records())

    def test_conditions(self):
        events = [event("a", score=10, town="Bath", optinNewsletter=True),
                  event("b", score=20, town="Kyiv", optinNewsletter=True),
                  event("c", score=30, town="Kyiv"),
                  event("d", score="20", optinNewsletter=False)]
        for test, wanted in (
                ('source="optinNewsletter" is="true"', "ab"),
                ('source="town" not="Kyiv"', "ad"),
                ('source="town" present="true"', "abc"),
                ('source="town" present="false"', "d"),
                ('source="town" one-of="Bath|Paris"', "a"),
                ('source="score" above="10" at-most="20"', "bd"),
                ('source="score" below="20"', "a"),
                ('source="score" at-least="30"', "c")):
            with self.subTest(test):
                self.receiver.taken.clear()
                self.assertEqual(self.chosen(f"<when {test}/>", events),
                                 list(wanted))

    def test_all_conditions_must_hold(self):
        self.assertEqual(self.chosen(
            '<when source="score" above="5"/><when source="town" is="Bath"/>',
            [event("a", score=9, town="Bath"), event("b", score=9),
             event("c", score=1, town="Bath")]), ["a"])

    def test_workspaces(self):
        self.assertEqual(self.chosen(
            "<workspaces><workspace>beta</workspace></workspaces>",
            [event("a"), event("b", workspace="beta")]), ["b"])

    def test_disabled_gets_nothing(self):
        self.host.webhook("off", self.receiver.url, enabled=False)
        result = self.host.send([event(1)])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.receiver.n_requests, 0)
        self.assertIn("no integration is enabled", result.err)

    def test_only_one_integration(self):
        self.host.webhook("web", self.receiver.url)
        self.host.webhook("other", "http://127.0.0.1:1/")
        result = self.host.send([event(1)], "--integration", "web")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(result.report["integrations"]), 1)


if __name__ == "__main__":
    unittest.main()

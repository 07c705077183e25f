"""Which of the user's columns is which of ours: as company.yaml says, by the same name, else by a guess that is always told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from features.company import Note, NoteKind
from features.reading.wrong_files import is_name
from features.tables import Table
from keepwell.errors import DataError

OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "customer_id": "customer custid customerno customernumber client clientid user userid memberid"
        " householdid householdkey shopperid buyerid",
        "ordered_at": "orderdate orderedon ordertime orderdatetime ordertimestamp invoicedate transactiondate"
        " transactiontime transactiontimestamp purchasedate purchasedat saledate date datetime timestamp",
        "amount": "revenue sales salesvalue salesamount totalamount orderamount ordervalue linetotal"
        " totalprice total value monetaryvalue spend netamount",
        "order_id": "order orderno ordernumber invoice invoiceid invoiceno invoicenumber transactionid basketid receiptid",
        "quantity": "qty units",
        "product_id": "product stockcode sku itemid articleid articleno",
        "opened_at": "complaintdate openedon opendate createdat createdon datereceived date timestamp",
        "closed_at": "closedon closedate resolvedat resolvedon",
        "due_at": "duedate dueon",
        "paid_at": "paymentdate paidon datepaid",
        "contacted_at": "contactdate contactedon sentat date timestamp",
        "answered_at": "answerdate surveydate responsedate date timestamp",
        "started_at": "startdate startedon contractstart",
        "ended_at": "enddate endedon contractend",
        "joined_at": "joindate joinedon signupdate signedupat registeredat registrationdate customersince",
        "birthday": "birthdate dateofbirth dob",
        "churned": "churn ischurned haschurned churnlabel exited attrition",
    }
)
"""Names that others give to our columns: words without case, spaces and signs."""

PERSONAL_NAMES = (
    "email emailaddress mail phone phonenumber telephone mobile mobilenumber address street streetaddress postcode zipcode zip"
    " firstname lastname surname fullname givenname familyname iban ssn passport passportnumber nationalid taxid ipaddress"
    " creditcard cardnumber middlename maidenname customername contactname contactperson username login nickname postalcode"
    " housenumber addressline1 addressline2 cellphone cell fax ip deviceid imei macaddress bankaccount accountnumber vatnumber"
    " taxnumber socialsecuritynumber driverlicense driverslicense licenseplate numberplate"
    " 姓名 名字 电话 电话号码 手机 手机号 手机号码 邮箱 电子邮箱 地址 住址 邮编 身份证 身份证号 护照号 银行卡号 微信号"
)
"""Names of personal columns, which become attributes only when company.yaml names them."""


LONGEST_NAME = 200


class Matching(NamedTuple):
    """`ours`: our name -> the user's; `extra`: the user's columns that are none of ours, in order; `notes` on both."""

    ours: dict[str, str]
    extra: tuple[str, ...]
    notes: tuple[Note, ...]

    def without(self, columns: Collection[str]) -> Matching:
        """The same but for these columns, called as we call them."""
        ours = {name: theirs for name, theirs in self.ours.items() if name not in columns}
        extra = tuple(name for name in self.extra if name not in columns)
        return Matching(ours, extra, tuple(note for note in self.notes if note.column not in columns))


def match_columns(table: Table, present: Sequence[str], mapped: Mapping[str, str]) -> Matching:
    """Match the columns that are `present` with those of `table`; `mapped` (our name -> the user's) goes before all else.

    Raises DataError when a mapped column is not there, or a required one is missing or could be several.
    """
    _refuse_long_names(table, present)
    for ours, theirs in mapped.items():
        if theirs not in present:
            raise DataError(
                table.name, theirs, f"is not there, but company.yaml maps {ours} to it", hint=f"there are {_listed(present)}"
            )
    found = dict(mapped)
    found |= {name: name for name in table.names if name not in found and name in present and name not in mapped.values()}
    notes = [
        Note(NoteKind.MAPPED, table.name, ours, f"read from {theirs!r}, as company.yaml says") for ours, theirs in mapped.items()
    ]
    for name in table.names:
        if name not in found:
            candidates = _candidates(name, present, taken=found.values())
            if len(candidates) == 1 and not _wanted_elsewhere(candidates[0], name, table, found):
                found[name] = candidates[0]
                notes.append(Note(NoteKind.GUESSED, table.name, name, f"read from {candidates[0]!r}"))
            elif name in table.required:
                raise _missing(table, name, present, candidates, found)
    extra = tuple(name for name in present if name not in found.values())
    notes += [Note(NoteKind.IGNORED, table.name, None, "a column without a name") for name in extra if not name.strip()]
    return Matching(found, tuple(name for name in extra if name.strip()), tuple(notes))


def _refuse_long_names(table: Table, present: Sequence[str]) -> None:
    """Names that are no names: a file without a header line, or one long line of text."""
    for name in present:
        if len(name) > LONGEST_NAME:
            hint = "check that the first line holds the names of the columns"
            raise DataError(table.name, f"{name[:40]}...", f"is a column name of {len(name):,} letters", hint=hint)


def is_personal(column: str) -> bool:
    """Whether a column's name says that it identifies a person.

    >>> is_personal("E-Mail"), is_personal("NumberOfAddress")
    (True, False)
    """
    return _bare(column) in PERSONAL_NAMES.split()


def _bare(name: str) -> str:
    """Letters and digits alone, in lower case.

    >>> _bare("Customer ID")
    'customerid'
    """
    return re.sub(r"[\W_]+", "", name).lower()


def _candidates(name: str, present: Sequence[str], taken: Collection[str]) -> list[str]:
    """The columns that look like `name`: those with the same letters, else those with another name of it."""
    free = [column for column in present if column not in taken]
    same = [column for column in free if _bare(column) == _bare(name)]
    return same or [column for column in free if _bare(column) in OTHER_NAMES.get(name, "").split()]


def _wanted_elsewhere(candidate: str, name: str, table: Table, found: Mapping[str, str]) -> bool:
    """Whether another column of ours that is not found yet has a better or equal claim: then nothing is guessed."""
    rivals = [other for other in table.names if other != name and other not in found]
    return _bare(candidate) != _bare(name) and any(candidate in _candidates(other, [candidate], ()) for other in rivals)


def _missing(table: Table, name: str, present: Sequence[str], candidates: Sequence[str], found: Collection[str]) -> DataError:
    if candidates:
        rule, examples = f"is missing, and could be {_listed(candidates)}", f"{name}: {candidates[0]}"
    else:
        lacking = [other for other in table.required if other not in found and not _candidates(other, present, ())]
        rule, examples = f"is required, and missing among {_listed(present)}", ", ".join(f"{other}: YOURS" for other in lacking)
    way_out = f"name it so, or map it in company.yaml: tables: {{{table.name}: {{columns: {{{examples}}}}}}}"
    if sum(map(is_name, present)) < len(present) / 2:
        way_out = "the first line seems to hold values: put a line with the names of the columns above it"
    return DataError(table.name, name, rule, hint=way_out)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in list(names)[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "") if names else "no columns"

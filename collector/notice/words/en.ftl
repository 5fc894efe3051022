# The letter

salutation = Dear { $name },
salutation-nobody = Dear reader,
footer = Sent by Takar, a program. Please do not reply to this mail.
attached = Attached: { $names }
open = Open: { $url }

digest-subject = { $n ->
    [one] { $n } notice from Takar
   *[other] { $n } notices from Takar
}
digest-lead = { $n ->
    [one] Here is { $n } notice for you.
   *[other] Here are { $n } notices for you.
}

# Labels

label-uplink = Uplink
label-links = Links
label-lacking = Lacking
label-wanted = Needed
label-gives = Give
label-gets = Get
label-moved = Moved
label-owner = Owner
label-since = Since
label-standard = Standard time
label-number = Letter
label-asked = Sent
label-capacity = Capacity now
label-request = Capacity asked for
label-until = Until
label-expires = Link valid until
label-by = By
label-ticket = Ticket
label-promised = Promised for
label-remark = Remark
label-why = Cause
label-reason = Reason
label-report = Report
label-amount = Lent

# Words

place = { $uplink }, { $direction }
direction-down = downstream
direction-up = upstream
share = { $link } { $amount }
kind-reallocation = re-allocation
kind-addition = more bandwidth
kind-bod = bandwidth on demand
kind-deferral = deferral
who-takar = Takar
who-policy = the agreed policy
hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
}
minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
moment = { $day } { $month } { $year }, { $hour }:{ $minute } { $zone }
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
step-1 = the check that allocation, devices and user needs match
step-2 = identification and verification
step-3 = coordination
step-4 = carrying the allocation out
step-5 = the report
step-6 = the receipt of the report

# Topics

case-opened-subject = Case { $case } opened: { $kind } on { $uplink }
case-opened-lead = Case { $case } ({ $kind }) was opened for { $place }.
case-opened-todo = It is being checked and verified; nothing has been changed yet.

verified-subject = Case { $case } verified: { $uplink } needs (re-)allocation
verified-lead = The verification of case { $case } shows that bandwidth on { $place } does need (re-)allocation.
verified-todo = The next step is coordination.

proposal-waits-subject = Waiting for approval: proposal { $proposal }, case { $case } on { $uplink }
proposal-waits-lead = Proposal { $proposal } by { $by } for { $place } waits for your approval. Nothing is changed until then.
proposal-waits-todo = Please approve or decline it.

step-overdue-subject = Overdue: case { $case }, step { $step } on { $uplink }
step-overdue-lead = Step { $step } of case { $case }, { $activity }, is over its standard time.
step-overdue-todo = Please finish the step, or defer the case and say why.

provider-request-subject = Request for capacity on { $uplink }, letter { $number }
provider-request-lead = With letter { $number } we ask for the capacity of { $place } to be changed from { $capacity } to { $wanted }.
provider-request-todo = Please answer by the link below, with your ticket number and the date of completion.
provider-request-reply = Please answer to the contact named in the letter, with your ticket number and the date of completion.

provider-reminder-subject = Reminder: request { $number } is not answered yet
provider-reminder-lead = We have no answer yet to our request { $number } for the capacity of { $place } to become { $wanted }.
provider-reminder-todo = Please answer by the link below.
provider-reminder-reply = Please answer to the contact named in the letter.

provider-agreed-subject = { $provider } agreed to request { $number }, case { $case }
provider-agreed-lead = { $provider } agreed to request { $number } for { $place }.
provider-agreed-todo = Once the capacity is there, please measure it and record the result in case { $case }.

provider-refused-subject = { $provider } refused request { $number }, case { $case }
provider-refused-lead = { $provider } refused request { $number } for { $place }.
provider-refused-todo = Please decide how case { $case } goes on: ask again, defer or conclude it.

allocated-subject = Case { $case }: the allocation on { $uplink } was carried out
allocated-lead = The allocation on { $place } was carried out and read back from the devices.
allocated-todo = The report of case { $case } is being written.

rolled-back-subject = Case { $case }: the change on { $uplink } was rolled back
rolled-back-lead = The change on { $place } did not hold. The devices are back at their former values.
rolled-back-todo = Case { $case } is back in coordination; please look into it.

report-ready-subject = Report { $number } waits to be received
report-ready-lead = Report { $number } on case { $case }, { $place }, is written.
report-ready-todo = Please read and receive it.

received-subject = Report { $number } was received
received-lead = Report { $number } on case { $case }, { $place }, was received and archived. The case is closed.

loan-begins-subject = Case { $case }: the loan on { $uplink } begins
loan-begins-lead = The loan of bandwidth on { $place } has begun and lasts until { $until }. After that the former values come back by themselves.

loan-ends-subject = Case { $case }: the loan on { $uplink } ends
loan-ends-lead = The loan of bandwidth on { $place } ends; the former values come back.

deferral-over-subject = Case { $case }: the deferral on { $uplink } is over
deferral-over-lead = The deferral of case { $case } on { $place } is over, and the case goes on.
deferral-over-todo = Please check whether there is capacity now, or defer it again.

mail-trouble-subject = { $n ->
    [one] { $n } notice was not delivered
   *[other] { $n } notices were not delivered
}
mail-trouble-lead = { $n ->
    [one] { $n } notice could not be delivered and is not tried again. What it said is in its case.
   *[other] { $n } notices could not be delivered and are not tried again. What they said is in their cases.
}
mail-trouble-todo = Please check the addresses and the [notice] part of the config, and tell the recipients in another way.

password-changed-subject = The password of account { $account } was changed
password-changed-lead = The password of account { $account } was changed by { $by } on { $at }.
password-changed-todo = If you know nothing of this, tell those who look after Takar at once.

"""Words that values are made of, in the languages of Europe's west: months, days of the week, truth values.

All are folded: small letters, no accents. No word has two meanings here, so that a value tells by itself what it is.
"""

MONTHS: tuple[str, ...] = (
    "january jan janvier janv januar janner enero ene gennaio gen janeiro januari gener styczen stycznia sty",
    "february feb fevrier fevr fev februar feber febrero febbraio febr fevereiro februari febrer luty lutego",
    "march mar mars marz mrz marzo marco maart mrt marc marzec marca",
    "april apr avril avr abril abr aprile kwiecien kwietnia kwi",
    "may mai mayo maggio mag maio mei maj maig maja",
    "june jun juin juni junio giugno giu junho juny czerwiec czerwca cze",
    "july jul juillet juil juli julio luglio lug julho juliol lipiec lipca lip",
    "august aug aout agosto ago augustus augusti agost sierpien sierpnia sie",
    "september sep sept septembre septiembre setiembre settembre sett set setembro setembre wrzesien wrzesnia wrz",
    "october oct octobre oktober okt octubre ottobre ott outubro out pazdziernik pazdziernika paz",
    "november nov novembre noviembre novembro listopad listopada lis",
    "december dec decembre dezember dez diciembre dic dicembre dezembro desember desembre des grudzien grudnia gru",
)
"""The names of each month, from January."""
WEEKDAYS = (
    "monday mon tuesday tue tues wednesday wed thursday thu thur thurs friday fri saturday sat sunday sun "
    "lundi lun mardi mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim "
    "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sonnabend sa sonntag so "
    "lunes martes mie miercoles jueves jue viernes vie sabado sab domingo dom "
    "lunedi martedi mercoledi giovedi gio venerdi sabato domenica "
    "segunda terca quarta quinta sexta "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag "
    "dilluns dimarts dimecres dijous divendres dissabte diumenge"
)
"""A date may begin with the name of its day, which says nothing new."""
LINKS = "de del d of den the"
"""Words between the parts of a date: `5 de enero de 2013`."""
TRUTHS: tuple[tuple[str, str], ...] = (
    ("true", "false"),
    ("yes", "no"),
    ("t", "f"),
    ("y", "n"),
    ("si", "no"),
    ("ja", "nein"),
    ("ja", "nee"),
    ("ja", "nej"),
    ("ja", "nei"),
    ("oui", "non"),
    ("vrai", "faux"),
    ("verdadero", "falso"),
    ("verdadeiro", "falso"),
    ("vero", "falso"),
    ("wahr", "falsch"),
    ("sim", "nao"),
    ("tak", "nie"),
)
"""What is true, what is false."""
ALONE = "true"
"""Where only one of these two words is there, the column is boolean all the same."""
CURRENCIES = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MAD MXN MYR NOK NZD PEN "
    "PHP PLN RON RUB SAR SEK SGD THB TRY TWD UAH USD ZAR"
)
"""Codes of ISO 4217 that amounts are written with."""
CODE_HEADERS = (
    "zip zipcode postcode postal postleitzahl plz codigopostal codepostal phone telephone telefono telefon tel mobile "
    "fax isbn issn ean gtin upc barcode iban bic ssn vat nif cif dni siret siren"
)
"""Words in the header of a column that say that its digits are no quantity."""

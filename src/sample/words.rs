//! Word lists for invented titles, bands and playlists. Words are separated by `|`.

/// The words of one genre, or those that all share.
pub(super) struct Words {
    pub(crate) adjectives: &'static str,
    pub(crate) nouns: &'static str,
    pub(crate) verbs: &'static str,
    pub(crate) places: &'static str,
    /// Whole titles.
    pub(crate) phrases: &'static str,
    /// Parts of artists' names: what stands first, and what stands last.
    pub(crate) first_names: &'static str,
    pub(crate) last_names: &'static str,
    /// The four subgenres, each with the names of its playlists after a colon.
    pub(crate) subgenres: [(&'static str, &'static str); 4],
}

/// In the order of `figures::GENRES`.
pub(super) const GENRES: [&Words; 6] = [&POP, &RAP, &ROCK, &LATIN, &RNB, &EDM];

pub(super) const COMMON: Words = Words {
    adjectives: "blue|golden|broken|little|silent|lonely|wild|new|lost|perfect|cold|sweet|long|last|better|secret",
    nouns: "heart|night|love|summer|dream|fire|light|eyes|time|rain|home|moon|road|day|story|ghost|river|sky|shadow|\
            morning|window|letter|mirror|stranger|winter|colour|name|promise|hour|silence",
    verbs: "falling|waiting|running|dancing|dreaming|leaving|calling|holding|breaking|coming",
    places: "the city|the dark|my room|your arms|the sun|paradise|the water|nowhere|the morning|heaven",
    phrases: "stay|let me go|without you|one more time|tell me why|all night|hold on|never again|come back|forever|\
              so far away|you and I|what if|not today|if only",
    first_names: "Silver|Paper|Second|Quiet|North|Little|Amber|Hollow|Seven|Juniper|Marble|Copper|Velvet|Distant|Lunar",
    last_names: "Harbor|Parade|Avenue|Theory|Garden|Season|Kites|Orchard|Signal|Atlas|Letters|Island|Motel|Lantern",
    subgenres: [("", ""); 4],
};

const POP: Words = Words {
    adjectives: "pretty|sparkling|sugar|electric|crazy|pink|glitter|dizzy|sunny|famous|cute|breathless|candy|plastic",
    nouns: "girl|boy|lips|crush|kiss|party|butterflies|lipstick|diamonds|polaroid|weekend|sunshine|birthday|balcony|\
            phone|rollercoaster|bubblegum|fairytale|confetti|heartbeat|jeans|boyfriend|selfie|daydream",
    verbs: "wishing|kissing|texting|blushing|shining|crushing|missing|glowing|smiling|twirling",
    places: "the mall|bubblegum skies|your hoodie|the back seat|neon lights|wonderland|my playlist|the movies",
    phrases: "call me tonight|way into you|text me back|over it|hate how I like you|can't get enough|good for me|\
              best friend|girls in a hurry|wish you were here by noon|we're so young|hooked on your hello|miss me yet",
    first_names: "Mira|Talia|Jonah|Wren|Elodie|Casper|Ivy|Fenna|Lior|Junie|Odette|Piper|Bram|Saskia",
    last_names: "Valen|Halloway|Winterbee|Larkspur|Fairlie|Quillon|Brightly|Applewood|Sinclade|Merriday|Lovette",
    subgenres: [
        ("dance pop", "Glitter Floor|Friday Pop, Loud|Pop Remixed"),
        ("electropop", "Neon Pop|Synth Sweets|Electro Hearts"),
        ("indie pop", "Bedroom Pop Club|Soft Indie, Slow Days|Indie Sunshine"),
        ("teen pop", "School's Out|Crush Season|Bubblegum Hits 💖"),
    ],
};

const RAP: Words = Words {
    adjectives: "real|grimy|icy|fast|young|savage|bossed up|heavy|certified|hungry|ruthless|lil|broke|solo",
    nouns: "money|hustle|streets|chain|cash|trap|crown|block|gang|whip|mic|hood|drip|plug|rent|grind|bands|cypher|\
            bars|kingpin|loyalty|paper|concrete|flow|corner",
    verbs: "stackin'|flexin'|hustlin'|whippin'|spittin'|grindin'|ballin'|rollin'|countin'|trappin'",
    places: "the block|my hood|the trap|the Bentley|east side|the projects|the studio|the kitchen|the county",
    phrases: "get the bag|no cap|run it up|on my grind|talk to me nice|count it twice|ten toes down|how we ride|\
              started from zero|day ones only|keep it a hundred|money talks|watch how I move|all on me",
    first_names: "Lil|Young|Big|MC|Kid|Yung|Prodigal|King|Deacon|Doc|Skinny|Quick|Baby|Mister",
    last_names: "Cobalt|Ledger|Verdict|Thunda|Domino|Cutlass|Bodega|Mosaik|Hundredz|Gravel|Kilo|Brickz|Scripture|Tabernacle",
    subgenres: [
        ("hip hop", "Boom Bap, Always|Corner Cypher|Rhyme School"),
        ("southern hip hop", "Dirty South Heat|Candy Paint|Syrup & Bass"),
        ("gangster rap", "Hard Streets|West Coast Ride|Block Reports"),
        ("trap", "Trap Kitchen|808 Weather|Late Night Trap 🔥"),
    ],
};

const ROCK: Words = Words {
    adjectives: "iron|burning|black|rusty|electric|heavy|wicked|restless|bleeding|thunder|rebel|hollow|crooked|loud",
    nouns: "stone|highway|devil|thunder|machine|wheel|whiskey|soldier|gun|hell|guitar|train|rebel|wolf|chains|dust|\
            lightning|gasoline|crow|tower|preacher|steel|storm|outlaw|grave",
    verbs: "burning|bleeding|riding|screaming|rolling|crawling|shaking|marching|drowning|howling",
    places: "the highway|the storm|hell|the mountain|the wasteland|the edge|the cemetery|the railroad|the frontline",
    phrases: "rock until sunrise|live and let burn|born at full volume|back on the road|down in the quarry|ride the storm|\
              nothing left to lose|sons of the storm|break the chains|long way down|turn it up|hard times",
    first_names: "The Iron|The Rusty|Black|The Howling|Electric|The Crooked|Broken|Thunder|The Vagrant|Granite|Dead",
    last_names: "Wolves|Chapel|Engines|Reverends|Machine|Vultures|Cannons|Hounds|Saints|Sabre|Mutiny|Railway|Gravediggers",
    subgenres: [
        ("classic rock", "Rock Classics, 70s & 80s|Vinyl Thunder|Long Road Rock"),
        ("hard rock", "Hard & Loud|Amps on Eleven|Heavy Riffs"),
        ("album rock", "Album Sides|Deep Cuts, Side B|The Gatefold"),
        ("permanent wave", "New Wave Forever|Alternative Era|College Radio"),
    ],
};

const LATIN: Words = Words {
    adjectives: "loca|prohibido|bonita|caliente|eterno|salvaje|sin ti|imposible|perdida|morena|sola|lento",
    nouns: "la noche|el corazón|mi amor|la luna|el mar|tu boca|la playa|el fuego|mi niña|la fiesta|el baile|tus ojos|\
            la calle|el sol|la vida|un beso|mi tierra|la cintura|el verano|tu cuerpo|la ciudad|el café",
    verbs: "bailando|llorando|soñando|besándote|buscando|cantando|esperando|volando|pensando en|gozando",
    places: "La Habana|el Caribe|mi barrio|San Juan|la arena|la pista|el cielo|tu cama|Cartagena|el malecón",
    phrases: "qué más da|no me digas|ven conmigo|dame más|ya no quiero|te quiero así|dímelo|otra vez|mueve todo|\
              mañana te olvido|hasta abajo|solo contigo|por qué no vuelves|a mi manera|así es la vida",
    first_names: "Los Hermanos|La Banda|Don|Orquesta|Niña|Grupo|El Rey|Nico|Maïa|Ángel|DJ|Las Hijas del|Rubén|Inés",
    last_names: "Candela|Montemar|Jazmín|Cálido|del Puerto|Palomar|Azúcar|Brisa|Cañaveral|Quisqueya|Ventarrón|Tambó",
    subgenres: [
        ("reggaeton", "Reggaetón Total|Perreo, Perreo|Dembow Sin Fin 💃"),
        ("latin pop", "Pop en Español|Corazón Latino|Baladas y Más"),
        ("tropical", "Salsa, Son y Sabor|Trópico Vivo|Verano Tropical"),
        ("latin hip hop", "Rimas del Barrio|Trap Latino|Calle y Ritmo"),
    ],
};

const RNB: Words = Words {
    adjectives: "slow|tender|smooth|honey|midnight|satin|grown|deep|faithful|sensual|mellow|brown|candlelit|late",
    nouns: "body|touch|soul|lover|groove|baby|honey|pillow|sheets|lady|feelings|patience|vibe|bedroom|intuition|\
            mood|affection|silk|whisper|skin|candle|desire|comfort|queen",
    verbs: "loving|touching|needing|grooving|whispering|wanting|trusting|healing|vibing|undressing",
    places: "your body|the bedroom|my soul|the sheets|your love|the afterglow|my mind|the slow lane",
    phrases: "treat you right|make it linger|take it slow|all I need is you|come over tonight|say you love me|\
              nobody like you|give me your love|put it on me|feels so right|let's stay in|my baby|used to need you",
    first_names: "Amarelle|Sable|Dorian|Kelisse|Monique|Jovan|Tevin|Lyric|Soleil|Andre|Nia|Cassius|Imani|Rochelle",
    last_names: "Rosewell|Duvall|Honeywell|Bellamy-Cruz|Love|Devereux|St. Verne|Montclaire|Grace|Waters|Satin|Larue",
    subgenres: [
        ("urban contemporary", "City Grooves|Contemporary Soul|Slow Burn, City Heat"),
        ("hip pop", "Hip Pop Summer|Throwback Hooks|Radio Soul"),
        ("new jack swing", "Swing, Jack, Swing|90s Groove|High Top Fade"),
        ("neo soul", "Neo Soul Sunday|Warm Keys|Candlelight & Vinyl"),
    ],
};

const EDM: Words = Words {
    adjectives: "infinite|digital|cosmic|euphoric|hyper|ultra|sonic|weightless|magnetic|acid|atomic|parallel",
    nouns: "drop|bass|rave|energy|frequency|pulse|galaxy|gravity|laser|voltage|rhythm|signal|system|sunrise|\
            universe|echo|reactor|tunnel|orbit|horizon|control|particles|festival|nova",
    verbs: "rising|floating|raving|pulsing|jumping|glitching|ascending|dropping|looping|vibrating",
    places: "the warehouse|the mainstage|outer space|the void|zero gravity|the underground|the strobe|Ibiza",
    phrases: "feel the bass|hands up|take me higher|drop it|we are one|lose the plan|turn up the bass|the night is ours|\
              bring it back|ready to jump|higher floor|can you feel it",
    first_names: "DJ|NØVA|Kilo|Axel|Proton|Hyper|Zeno|Kairo|Mono|Vektor|Tiber|Astra|Bassline|Nils",
    last_names: "Kilohertz|Prism|Vandal|Circuit|Åkesson|Overdrive|Wavelength|Machina|Voltair|Modul|Subform|Hertz",
    subgenres: [
        ("electro house", "Electro House Nation|Main Room, Loud|Big Saw"),
        ("big room", "Big Room Anthems|Festival Drops|Hands Up!"),
        ("pop edm", "Pop EDM Radio|Dance Hits, Daily|Future Hits"),
        ("progressive electro house", "Progressive Journey|Sunrise Sets|Melodic Rise"),
    ],
};

//! An RSA key of 2048 bits, and what OpenSSL 4.0 did with it.

/// The key, with or without its factors.
pub(super) fn parts(with_factors: bool) -> crate::crypto::RsaParts {
    let secret = |text| crate::secret::Secret::new(super::bytes(text));
    crate::crypto::RsaParts {
        modulus: super::bytes(MODULUS),
        public_exponent: vec![1, 0, 1],
        private_exponent: secret(PRIVATE_EXPONENT),
        crt: with_factors.then(|| crate::crypto::RsaCrt {
            prime_1: secret(PRIME_1),
            prime_2: secret(PRIME_2),
            exponent_1: secret(EXPONENT_1),
            exponent_2: secret(EXPONENT_2),
            coefficient: secret(COEFFICIENT),
        }),
    }
}

/// n.
pub(super) const MODULUS: &str = "\
    d8e63c7d5349e5f6983e9b13c76e0fc79bf549ef74d08b20d0cc0830c5bee0e81b50657df3d233c9db33ee0c12d7c06a\
    399f1169d084f866a87814d653581484732e3b6431e2e94f03acace80bddd6d12eaec38871bb5e170cc7aeb079f8b014\
    637e69247c3e952580ccc5b78cfb486d55d809571188e3c27c2e99cf3b89c7df22b9e2eb3ec7d9d719cabfd6853dbcad\
    a784c84acc5f31deb45fd73fe6c702acebd7bcd069318c8a96c5dddc5f742f17fe81ba3d1c8732c8a6b4c4bdaa42eb67\
    08ec4b3ba7ecd5fb54b91c9ffe67813799c82052eef1847369005440405ed7776ccf12373e8492a5cee207ca01ebcc78\
    a1290c4047b8741434fa8742d686de85";

/// d.
pub(super) const PRIVATE_EXPONENT: &str = "\
    0984c31dfc8ad1eed4e6c1c9fd56cbc0fc0bbdf35104fa3cc0afaf8d550ef27cfa7e8da70322a957555ec2f68b2e2639\
    7dd95dfb843a8da72858b5660ed17451b80ca2451c4e590ef8ba3a255328a8b87f36b809de748aa572d00c39c8ef31bf\
    aca51bcaa2dc3691e72ee00a152e62e83a1bf41450314478e0c26fc9667e13aec1b3a89387f57ed2a82f68aeb2cacdde\
    8a4e9c9dcea6180003c07c215d80779e20a3191d227676abe36e6f851fca6fc48a0e2a4ca920d1ca737863ad5691063f\
    20e6210886f637ca3197dc3e660645093e55515b65332ec502621dace21af804de4245d3f0038abe97ee807cc11b5ee6\
    a1c1c358eb3820cc5e6d628571f3aa09";

/// p.
pub(super) const PRIME_1: &str = "\
    fbc60b8fba16ab99c1486d07702a1b61f5aced9b4b371567c4763646dc6797899e9783e9306cb2c9378d56dd2795ce33\
    73d3083e035849450c72d430d268514606be39abf52deddb8558947870ba7019b80ca642dfee18e97ee7b9d14cda9793\
    af5a520f3d050e9c65f9eeaab1c9789987df9a833c9e755dcbb24b2c00bc9be9";

/// q.
pub(super) const PRIME_2: &str = "\
    dc8a532b1435fb09b63b0d99ff6159dd3d6b633a029234883a27841a38d7e999063ed01875ae1aa27073d5a3aa85dc3d\
    8b8fccad88dce1c2ce599a69ad6a738b5ae296377b7e45423ebd10956d59b7ef5d0af0363d24ab020ac0695464d4fe25\
    e4eb5ef234bd6faf99113e265f9e3c762dd9a190aa7dede79effd46862acf83d";

/// d mod (p − 1).
pub(super) const EXPONENT_1: &str = "\
    519afd805676a6a42d6bc63b14f5f0ee2d6d218ea6307275b1ce0705acc6beed524415f36d48ae225e2927b082f62161\
    b7f6fcc2ecde9ed10c99e380f791ec55e035a407c26e629c367a619530249dd5183cb15f17a9dad543d6e3f99d0974fb\
    df684d14b7587e45df1fc565fa3e2d22c6518989640a904c188befa5918f9091";

/// d mod (q − 1).
pub(super) const EXPONENT_2: &str = "\
    c4c777a5fc869dd3f09188755bf51525dee3aec9d7f9747e08c5b18d6422e2fff31ea0b6f269c2c225ec75376fb3b8ec\
    0156f19df57c80c43d329e20a4e752e988d29c8e2cd6621dd5b504d30f9afa0fcdc930c47491ff33f73befbfa9a8928c\
    6551ce89f69d00c681a16cfef85a4c407670b5444b9bc966ddec0f2e84bd2951";

/// q⁻¹ mod p.
pub(super) const COEFFICIENT: &str = "\
    6aebd0e76daf54f2aca6f0090a025fd060d6214ddc3f6e8a32157101ef260fb68af302f6be83b000ae832ee73f33a764\
    380276eca0202aa3da0df14274c145c9f002fbebc168168286a337a5025061ea76a2cb862ec6837754c1ebc7088af9bf\
    3bba7603c0170aa699edac0bc77c0461283aa4b8901788e901a00f3ef37b3028";

/// RSASSA-PKCS1-v1_5 with SHA-256 of "sample".
pub(super) const V15_SIGNATURE: &str = "\
    87cf3aa7009e8f1dc9131e148dbc314550e7a648cb38799985980cd13d29b414774d14fd140e97229f437fd424adc03a\
    6434328ac13532c15dacd68b3c2e0cdc53fcf7261c4386a064dfc1c78bbb45f4cfbbd8afcb8c293973633d9be66a2c99\
    41035e48a85174b6dd1a324073a7bc06de11144588e2f8d78384ba9db4984adce25c2383a9d835ea2ef464159c5a5032\
    eec55b8198730339ecaf4ce54848a71df841a75b1899aa84d752ecc027fa6e75b0738cb1edbed9e9fcd62ab6fbbd7000\
    72787ca334b2cf5d7e8d05dddc3b00335f281dd0f40147da1c5072863079c5bf3daf45c6659af060e57f40f88ab7800f\
    1745796d6657ed8c67bc6f1f4e4ee071";

/// RSASSA-PSS with SHA-384 of "sample", MGF1 with SHA-1, a salt of 20 bytes.
pub(super) const PSS_SIGNATURE: &str = "\
    b330319f2c65ba51e80e6e10e959d642e993aaed382eacb6875f5323c4ca0b5ce7a8021f94fcbc369a8eaf7286af1efc\
    f4d3df05d274a9b4f5ced3dc33b8aab214fad311e3b6bbf87b51c53abdbb46b1973391d9077316cc9501de5f5a071483\
    baafad3366b6973444328c99ffb4a435bdf4cef8342468725dd665b6c469595a46cae96b24706f381c71b8b511e396e5\
    bd18a6ca353f0f5f38d5aac354b0a0350f2ccda939504211fa20e9a5955e1fa76d8e7477d76f272db1d3f2141cea9e90\
    2e2ee90a4faf3621e9551cf3133685c432817c72864cc4b27e976f5f6d05723da264af487119852a91bb892f5dda84b0\
    21a219c7b08c9eb5d47cd981379a561f";

/// RSAES-OAEP of "a message" with SHA-256, MGF1 with SHA-1, the label "label".
pub(super) const OAEP_CIPHERTEXT: &str = "\
    2afb4bbcdbc5cfd5f33fbd7c4320952d861780ecb9d6edad3f0910d2d47c7e9babe6a4c3ec44b057b227ab33117e2e0f\
    9355eca8b905d4b5961013980f9fc3989648ce252a7b64118454381257722999a96e83da5dc4aadd343b49c1bfdca3e4\
    5f74ab21dbe4e6fd1cb808847f150cc8f701e65dd9a0c28243d6ab4a2111ef3fa3825ee7436c460845dbfc0f100e4de7\
    0911b368b6824be8aa829b1b5dae82efdcb7ebdd896f0af88eb43fd3aa32baa8b13df12cd30e10ee4c8d98aacc6e3eb7\
    94df289d3a0ceb2316cc8f327418f86bf34e19a0e86f49ad23c87cad437f8466d592038faff42fa4e066d194f2e006d2\
    406955140fea41d6d093447a7cbb668a";

/// RSAES-PKCS1-v1_5 of "a message".
pub(super) const V15_CIPHERTEXT: &str = "\
    4175c0be25d4e27765138b68bf48e9d601fed07702f8ffeb8cf13554b49c9114d18de5f14d1fcad4e4b1b556cfc22f23\
    ac22eb22b9f35079a2f272a27212e99f0fd0931e20f44ba6cba8234e352afe3c293c2b0fab67ccad68dc731e23cbd9b9\
    351f99c39b654ef4d63fb563416f042fb205f166ae6dda35a190765a47de348a3ae13d7d944052f31d970a13778f238f\
    0f92429e9ab1cb4cbc253f404054f50efafe3f8f7d71470b3148c66f5608bb299c316f292a303e47bcbfbe61eb28341e\
    f98a2cb22c8a195a18ed04f9654aae00392faa7b025d925a2bbb98981f04ad87d4e209d374975d2f1c263792f66f933b\
    8f97adbaaf3cb6f16f2970b871f64619";

/// What OpenSSL 4.0 answers to `no_separator`.
pub(super) const NO_SEPARATOR_ANSWER: &str = "\
    3419659cd6212feb0b476ccf979577971d158df90ce41d88738c4e5af60df2f666ce2dd96eac8fdefcb4ac5ac702869e\
    baa7ddc3bdbdf3e521b27ed0616f0e878f2256ac64630ebf5c06391ec37948e189efda3fe0489820690089de74";

/// What OpenSSL 4.0 answers to `short_padding`.
pub(super) const SHORT_PADDING_ANSWER: &str = "\
    4b560713cc7592ed4ea26fa5875925c4bcf694b20a81097edf60ec33c8afde477fbc1e7c9c0561137d71ca7028b92ec2\
    a0b0f7b96e6c2cc1225def001918e37cfbb937736e44e0fe4d5af8fa7cefa2e78959a51c43312cc81be3a2cdfeae821f\
    ab1eee75735b126d97e450242341a93dce707a9b43664b67045f5150bce9e9b8ba79dba926b3fa219a05";

/// What OpenSSL 4.0 answers to `wrong_type`.
pub(super) const WRONG_TYPE_ANSWER: &str = "\
    e61ad6d1442b1e9ffdd91deda87ead161fbb70068f4601c12008b238b3bb67dc3fd51e660599d25dee45b07274b7981b\
    881ae2446c0ab19142d962b318ae15aceaeb768f75e3133f";

/// What OpenSSL 4.0 answers to `wrong_first`.
pub(super) const WRONG_FIRST_ANSWER: &str = "\
    8f610a0b88560b38b0b9e65828b05bf591b95e018be40ab5122df6afe8280f53caf42e1c11d4aacff7237185f2de1aae\
    fb16d53316fb0120d410277f12b8881661202af55440ab0d64af3b9ae8b82f6b27b08f58643afc10bd8b";
